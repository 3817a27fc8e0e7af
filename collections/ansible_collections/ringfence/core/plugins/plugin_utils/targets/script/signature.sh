# Signatures: where signers are installed on the host itself, it takes only what one of them signed.

signers=/etc/ringfence/allowed_signers

# write_signed FILE: writes what was signed into a file of $work, and its signature beside it.
write_signed() {
    { printf '%s\n' "$rf_plan_text" >"$work/$1" && printf '%s\n' "$rf_signature" >"$work/$1.sig"; } 2>/dev/null ||
        refuse_write "$work"
}

# find_signer FILE NAMESPACE: who of this host's signers signed it is signed_by, nobody is empty; signed_name is the host's
# name in it: that of the file /etc/ringfence/name, where the controller's word for it is not enough.
find_signer() {
    signed_by=
    # these are patterns of a line, which no shell may expand; one of `!` says who it is not
    while read -r signed_who; do
        case $signed_who in '' | '!'*) continue ;; esac
        if ssh-keygen -Y verify -f "$signers" -I "$signed_who" -n "$2" -s "$work/$1.sig" <"$work/$1" >/dev/null 2>&1; then
            signed_by=$signed_who
        fi
    done <<FOUND
$(ssh-keygen -Y find-principals -s "$work/$1.sig" -f "$signers" 2>/dev/null)
FOUND
    signed_name=$rf_host
    if [ -r /etc/ringfence/name ]; then read -r signed_name </etc/ringfence/name; fi
}

# Refuses unless the plan is signed and says of this host exactly what was sent: nothing of a plan is used before.
check_signed() {
    if [ ! -e "$signers" ]; then return 0; fi
    if [ -z "$rf_plan_text" ] || [ -z "$rf_signature" ]; then
        refuse unsigned "this host has $signers and accepts only signed plans"
    fi
    if ! have ssh-keygen; then refuse signature "ssh-keygen is not installed on this host, so the plan's signature cannot be checked"; fi
    write_signed plan.json
    signed_digest=$(sha256sum "$work/plan.json")
    if [ "${signed_digest%% *}" != "$rf_plan" ]; then refuse digest "the plan was not transferred completely"; fi
    find_signer plan.json ringfence-plan
    if [ -z "$signed_by" ]; then refuse signature "the plan is signed by none of the signers in $signers on this host"; fi
    signed_says=$(signed_entry "$signed_name" <"$work/plan.json" | sort)
    if [ "$(sent_entry | sort)" != "$signed_says" ]; then
        refuse signature "the signed plan differs from what was sent for $signed_name"
    fi
    reply signed_by "$signed_by"
}

# check_approved LINES: refuses a permission, where signers are installed on the host itself, unless one of them signed a
# request for exactly this: its id, at most so long, and every line of it for this host. A quarantine needs no signature.
check_approved() {
    if ! emergency_permits "$1" || [ ! -e "$signers" ]; then return 0; fi
    if [ -z "$rf_plan_text" ] || [ -z "$rf_signature" ]; then
        refuse unsigned "this host has $signers and accepts only permissions that one of them approved: ringfence request"
    fi
    if ! have ssh-keygen; then refuse signature "ssh-keygen is not installed on this host, so the approval cannot be checked"; fi
    open_work
    write_signed request
    find_signer request ringfence-emergency
    if [ -z "$signed_by" ]; then refuse signature "the permission is approved by none of the signers in $signers on this host"; fi
    if ! printf '%s\n' "$1" | host=$signed_name awk -v request="$work/request" -v now="$(date +%s)" '
        function value(line) { sub(/^ *("[a-z_]+": )?"?/, "", line); sub(/"?,?$/, "", line); return line }
        # JSON with two spaces of indentation a level, a value a line, in which no text can hold a newline
        BEGIN {
            unit["s"] = 1; unit["m"] = 60; unit["h"] = 3600; unit["d"] = 86400
            while ((getline line < request) > 0) {
                if (line ~ /^  "id": "/) id = value(line)
                if (line ~ /^  "until": /) until = value(line) + 0
                if (line ~ /^  "within": "[0-9]+[smhd]",$/) { text = value(line); span = text * unit[substr(text, length(text))] }
                if (line ~ /^  "hosts": \{$/) hosts = 1
                else if (line ~ /^  \}/) hosts = 0
                else if (hosts && line ~ /^    "/) ours = line == "    \"" ENVIRON["host"] "\": ["
                else if (hosts && ours && line ~ /^      "element (permitted|container) /) wanted[value(line)]++
            }
        }
        $1 == "emergency" && $3 == "permission" { if ($2 != id || $5 <= now || $5 - $4 > span || $5 > now + span + 300) wrong = 1 }
        $1 == "element" && ($2 == "permitted" || $2 == "container") { if (!(wanted[$0] > 0)) wrong = 1; wanted[$0]-- }
        END { for (line in wanted) if (wanted[line] > 0) wrong = 1; exit wrong || now >= until }'; then
        refuse signature "the approved request differs from what was sent for $signed_name, or is too old"
    fi
    reply signed_by "$signed_by"
}

# use_approval LINES: an approval is good for one beginning: with another end, or once it was ended, it is refused. Approved
# ids are kept until their request is too old anyway: `ID ENDS UNTIL`. The caller has checked the signature, and has the lock.
use_approval() {
    approval_kept=$state/emergency.approved
    if [ -z "$rf_check" ]; then make_way "$approval_kept"; fi
    if ! is_plain "$approval_kept" && ! { emergency_permits "$1" && [ -e "$signers" ]; }; then return 0; fi
    approval_new=$({ if is_ours "$approval_kept"; then cat "$approval_kept" 2>/dev/null; fi; printf '%s\n' "$1"; } | awk -v now="$(date +%s)" -v request="$work/request" '
        BEGIN { while (request ~ /^\// && (getline line < request) > 0) if (line ~ /^  "until": [0-9]+,$/) { gsub(/[^0-9]/, "", line); until = line } }
        $1 ~ /^p-/ && NF == 3 { if ($3 > now) { ends[$1] = $2; last[$1] = $3 } next }
        $1 == "end" && ($2 in ends) { ends[$2] = 0 }
        $1 == "emergency" && $3 == "permission" && until {
            if (($2 in ends) && ends[$2] != $5) exit 1
            ends[$2] = $5; last[$2] = until
        }
        END { for (id in ends) print id, ends[id], last[id] }') ||
        refuse signature "this approval was used already: ask for a new one, ringfence request"
    if [ -n "$rf_check" ]; then return 0; fi
    keep_text "$approval_kept" "$approval_new" || ! emergency_permits "$1" || refuse_write "$state"
}

# leave_approvals: while an approval could be used again, what is known of it outlives all else, as of one that was ended.
leave_approvals() {
    approvals_left || return 1
    # what cannot be written stays as it is
    keep_text "$approval_kept" "$approval_left" || true
}

approvals_left() {
    approval_kept=$state/emergency.approved
    if ! is_ours "$approval_kept"; then return 1; fi
    approval_left=$(awk -v now="$(date +%s)" '$1 ~ /^p-/ && NF == 3 && $3 > now { print $1, 0, $3 }' "$approval_kept" 2>/dev/null)
    [ -n "$approval_left" ]
}

# What was sent of this host, a line each, in the words of signed_entry. Which connections end is found on the way, and no
# part of a plan.
sent_entry() {
    printf 'sequence %s\nruleset %s\ntable %s\nport %s\n' "$rf_sequence" "$rf_ruleset" "$rf_table" "$rf_port"
    if [ -n "$rf_expects" ]; then echo "expects $rf_expects"; else echo expects; fi
    for sent_range in $rf_control; do echo "control $sent_range"; done
    printf '%s' "$rf_processes" | sed 's/ $//'
}

# signed_entry NAME: prints what the plan on standard input says of a host. It is canonical JSON (sorted keys, a space of
# indentation a level, a value a line), in which no text can hold a newline.
signed_entry() {
    host=$1 awk '
        function value(line) { sub(/^ *("[a-z_]+": )?"?/, "", line); sub(/"?,?$/, "", line); return line }
        # hexadecimal digits of an address, nothing for what is none (RFC 4291, no dotted quad within IPv6)
        function digits(text,    part, count, i, out, half, left, right, gap) {
            if (text !~ /:/) {
                if (split(text, part, ".") != 4) return ""
                for (i = 1; i <= 4; i++) {
                    if (part[i] !~ /^[0-9][0-9]?[0-9]?$/ || part[i] + 0 > 255) return ""
                    out = out sprintf("%02X", part[i])
                }
                return out
            }
            if (text !~ /^[0-9A-Fa-f:]+$/) return ""
            gap = index(text, "::")
            if (gap) {
                left = substr(text, 1, gap - 1)
                right = substr(text, gap + 2)
                count = (left == "" ? 0 : split(left, part, ":")) + (right == "" ? 0 : split(right, half, ":"))
                if (count > 7) return ""
                text = left
                for (i = count; i < 8; i++) text = text (text == "" ? "" : ":") "0"
                if (right != "") text = text ":" right
            }
            if (split(text, part, ":") != 8) return ""
            for (i = 1; i <= 8; i++) {
                if (length(part[i]) > 4 || part[i] == "") return ""
                out = out substr("0000", length(part[i]) + 1) toupper(part[i])
            }
            return out
        }
        # family-FIRST-LAST of a network
        function range(text,    at, low, high, bits, size, i, digit, keep, first, last) {
            split("16 8 4 2 1", size, " ")
            at = index(text, "/")
            low = digits(at ? substr(text, 1, at - 1) : text)
            bits = at ? substr(text, at + 1) + 0 : length(low) * 4
            for (i = 1; i <= length(low); i++) {
                digit = index("0123456789ABCDEF", substr(low, i, 1)) - 1
                keep = bits - (i - 1) * 4
                keep = keep > 4 ? 4 : keep < 0 ? 0 : keep
                keep = size[keep + 1]
                digit = int(digit / keep) * keep
                first = first substr("0123456789ABCDEF", digit + 1, 1)
                last = last substr("0123456789ABCDEF", digit + keep, 1)
            }
            return (length(low) == 8 ? 4 : 6) "-" first "-" last
        }
        /^ "sequence": / { print "sequence " value($0) }
        /^ "hosts": \{$/ { hosts = 1; next }
        /^ \}/ { hosts = 0 }
        hosts && /^  "/ { ours = $0 == "  \"" ENVIRON["host"] "\": {"; next }
        !hosts || !ours { next }
        /^   "(ruleset|table|expects)": "/ { key = $1; gsub(/[":]/, "", key); text = value($0); print key (text == "" ? "" : " " text) }
        /^    "from": \[$/ { from = 1; next }
        from && /^    \]/ { from = 0 }
        from { print "control " range(value($0)) }
        /^    "port": / { print "port " value($0) }
        /^    \{$/ { elements = 0; kind = "" }
        /^      \[$/ { getline map; getline verdict; element[++elements] = value(map) " " value(verdict) }
        # a key stands before or behind the elements, as the alphabet has it
        /^     "(unit|user|fqdn|container)": "/ { kind = $1; gsub(/[":]/, "", kind); name = value($0); gsub(/\\\\/, "\\", name) }
        /^    \},?$/ { for (i = 1; kind != "" && i <= elements; i++) print kind " " name " " element[i]; kind = "" }
    '
}
