"""Lists the audit rules to apply: the first `rules` of the catalogue, or all."""

from catalogue import catalogue


def main(event):
    rules = catalogue()
    wanted = event.get("rules", len(rules))
    if not 1 <= wanted <= len(rules):
        raise ValueError(f"the catalogue has 1 to {len(rules)} rules, not {wanted}")
    return {"rules": rules[:wanted]}
