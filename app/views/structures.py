from app.structures.page import page

page()
