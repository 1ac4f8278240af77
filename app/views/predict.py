from app.predict.page import page

page()
