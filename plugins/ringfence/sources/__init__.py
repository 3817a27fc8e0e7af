"""Where assets come from: any Ansible inventory, label rules over it, and the dated snapshot they make."""

from ringfence.sources.inventory import Survey, survey
from ringfence.sources.labelling import apply_label_rules

__all__ = ["Survey", "apply_label_rules", "survey"]
