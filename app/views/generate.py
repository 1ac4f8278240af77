from app.generate.page import page

page()
