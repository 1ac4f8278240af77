from app.campaigns.page import page

page()
