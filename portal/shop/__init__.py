"""The shop: cart, orders, wish list, vouchers."""
