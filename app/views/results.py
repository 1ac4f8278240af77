from app.results.page import page

page()
