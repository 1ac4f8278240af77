from app.models.page import page

page()
