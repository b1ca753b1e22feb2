print("open for business")
