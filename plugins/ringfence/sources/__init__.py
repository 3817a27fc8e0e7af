"""Where assets come from: any Ansible inventory, label rules over it, and the dated snapshot they make."""

from ringfence.sources.inventory import Survey, load_snapshot, survey
from ringfence.sources.labelling import apply_label_rules

__all__ = ["Survey", "apply_label_rules", "load_snapshot", "survey"]
