"""What the farm grows and sells: products, formulas, dated prices."""
