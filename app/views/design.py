from app.design.page import page

page()
