from app.library.page import page

page()
