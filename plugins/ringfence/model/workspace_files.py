"""What the files and folders of a workspace are called."""

SETTINGS = "ringfence.yml"
LABELS = "labels.yml"
POLICY = "policy"
INVENTORY = "inventory"
PLANS = "plans"
STATE = ".ringfence"
