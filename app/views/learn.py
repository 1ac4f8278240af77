from app.learn.page import page

page()
