"""`pipeduck report`: one HTML file, the account in pictures, made from the published file alone.

`sql/` asks the questions, `facts` holds the answers, `charts` draws them, `page` joins them.
Nothing here knows Pipedrive's forms, asks the network, or needs a script in the browser.
"""
