"""How the data of the demo are told apart from what people bring."""

ATTRIBUTE = "tellback_demo"
"""The attribute that the accounts of the demo have in the directory. All that the demo says is said of them."""
SURVEYS = "Demo: "
"""What the names of the demo's surveys begin with."""
