# Signatures: where signers are installed on the host itself, it takes only what one of them signed.

signers=/etc/ringfence/allowed_signers

# Refuses unless the plan is signed and says of this host exactly what was sent. A file /etc/ringfence/name holds the
# host's name in plans, where the controller's word for it is not enough.
check_signed() {
    if [ ! -e "$signers" ]; then return 0; fi
    if [ -z "$rf_plan_text" ] || [ -z "$rf_signature" ]; then
        refuse unsigned "this host has $signers and takes a signed plan only"
    fi
    if ! have ssh-keygen; then refuse signature "there is no ssh-keygen on this host to check the plan's signature with"; fi
    printf '%s\n' "$rf_plan_text" >"$work/plan.json" && printf '%s\n' "$rf_signature" >"$work/plan.json.sig" ||
        refuse state "cannot write below $state"
    signed_digest=$(sha256sum "$work/plan.json")
    if [ "${signed_digest%% *}" != "$rf_plan" ]; then refuse digest "the plan did not arrive whole"; fi
    signed_by=
    for signed_who in $(ssh-keygen -Y find-principals -s "$work/plan.json.sig" -f "$signers" 2>/dev/null); do
        if ssh-keygen -Y verify -f "$signers" -I "$signed_who" -n ringfence-plan -s "$work/plan.json.sig" \
            <"$work/plan.json" >/dev/null 2>&1; then
            signed_by=$signed_who
        fi
    done
    if [ -z "$signed_by" ]; then refuse signature "the plan is signed by none of the signers in $signers on this host"; fi
    signed_name=$rf_host
    if [ -r /etc/ringfence/name ]; then read -r signed_name </etc/ringfence/name; fi
    {
        printf 'sequence %s\nruleset %s\ntable %s\nexpects %s\n' "$rf_sequence" "$rf_ruleset" "$rf_table" "$rf_expects"
        printf '%s' "$rf_processes"
    } | sed 's/ $//' | sort >"$work/sent"
    host=$signed_name awk '
        # canonical JSON: sorted keys, one space of indentation, a value a line
        function value(line) { sub(/^ *"[a-z_]+": "?/, "", line); sub(/"?,?$/, "", line); return line }
        /^ "sequence": / { print "sequence " value($0) }
        /^ "hosts": \{$/ { hosts = 1; next }
        /^ \}/ { hosts = 0 }
        hosts && /^  "/ { ours = $0 == "  \"" ENVIRON["host"] "\": {"; next }
        !hosts || !ours { next }
        /^   "(ruleset|table|expects)": "/ { key = $1; gsub(/[":]/, "", key); print key " " value($0) }
        /^    \{$/ { elements = 0 }
        /^      \[$/ { getline map; getline verdict; gsub(/[ ",]/, "", map); verdict = value(verdict); gsub(/^ *"/, "", verdict)
            element[++elements] = map " " verdict }
        /^     "(unit|user|fqdn)": "/ { key = $1; gsub(/[":]/, "", key)
            for (i = 1; i <= elements; i++) print key " " value($0) " " element[i] }
    ' "$work/plan.json" | sed 's/ $//' | sort >"$work/signed"
    if ! cmp -s "$work/sent" "$work/signed"; then
        refuse signature "the signed plan says something else of $signed_name than what was sent"
    fi
    reply signed_by "$signed_by"
}
