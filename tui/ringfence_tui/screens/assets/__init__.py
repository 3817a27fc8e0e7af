"""The assets: found as one types, told of in detail, labelled by hand, discovered."""
