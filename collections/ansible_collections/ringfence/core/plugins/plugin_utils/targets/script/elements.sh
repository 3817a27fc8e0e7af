# Elements: what the table is given beside its rules, as commands of nft: processes, answers, connections.

# Prints the connections of $work/sockets, and adds to FILE the nft commands that make them known to the table, without
# those that are cut. Datagrams have no first packet that begins another connection: what stood of them and was
# not tracked has three minutes, longer than an answered one stays tracked (nf_conntrack_udp_timeout_stream), to speak.
standing_elements() {
    # by a file: the environment of a command takes no more than 128 KiB at once
    printf '%s\n' "$rf_cut" >"$work/cut"
    cut_elements "$1" '' <"$work/cut"
    awk -v file="$1" -v cut="$work/cut" '
        function flush(family) {
            if (count[family]) printf "add element inet ringfence standing%s { %s }\n", family, list[family] >>file
            count[family] = 0; list[family] = ""
        }
        function add(family, key, time) {
            if (key in gone) return
            gone[key] = 1
            list[family] = list[family] (count[family] ? ", " : "") key time
            if (++count[family] >= 500) flush(family)
        }
        BEGIN {
            while ((getline line < cut) > 0)
                if (split(line, part, " ") == 6) gone[part[3] " . " part[4] " . " part[2] " . " part[5] " . " part[6]] = 1
        }
        { print }
        $1 == "S" { add($2, $4 " . " $5 " . 6 . " $6 " . " $7, "") }
        $1 == "F" && ($3 == 17 || $3 == 132) && ($11 == "socket" || ($11 == "new" && $4 != "in")) { add($2, $5 " . " $6 " . " $3 " . " $7 " . " $8, " timeout 3m") }
        END { flush(4); flush(6) }' "$work/sockets"
}

# cut_elements FILE SUFFIX: adds to FILE the nft commands that end the connections of standard input, lines `family protocol
# local remote local-port remote-port`; of messages `family protocol client server type type-of-the-answer`, of what has
# no ports `family protocol client server 0 0`. The names of the sets end in SUFFIX.
cut_elements() {
    awk -v file="$1" -v suffix="$2" '
        function flush(set) {
            if (count[set]) printf "add element inet ringfence %s { %s }\n", set suffix, list[set] >>file
            count[set] = 0; list[set] = ""
        }
        function add(set, key) {
            if ((set, key) in gone) return
            gone[set, key] = 1
            list[set] = list[set] (count[set] ? ", " : "") key
            if (++count[set] >= 500) flush(set)
        }
        NF != 6 { next }
        $2 == 6 || $2 == 17 || $2 == 132 { add("cut" $1, $3 " . " $4 " . " $2 " . " $5 " . " $6); next }
        $2 == 1 || $2 == 58 {
            add("cut_icmp" $1, $3 " . " $4 " . " $5)
            if ($6 != "-") add("cut_icmp" $1, $3 " . " $4 " . " $6)
            next
        }
        { add("cut_bare" $1, $3 " . " $4 " . " $2) }
        END { for (set in count) flush(set) }'
}

# Ends what is cut only now, in the table that stands.
cut_more() {
    if [ -z "$rf_cut" ]; then return 0; fi
    more_suffix=$(nft -t list chain inet ringfence input 2>/dev/null | sed -n 's/.*@cut4\(_[0-9]*\) drop.*/\1/p' | head -n 1)
    : >"$work/cut.nft"
    printf '%s\n' "$rf_cut" | cut_elements "$work/cut.nft" "$more_suffix"
    if ! nft -f "$work/cut.nft" 2>"$work/said"; then
        # too much at once for a user namespace, or one of them no good
        while IFS= read -r more_line; do
            if ! nft "$more_line" </dev/null 2>"$work/said"; then reply uncut "$(head -n 1 "$work/said")"; fi
        done <"$work/cut.nft"
    fi
    destroy_cut
}

# fill_answers LINES: puts the answers that are kept into the sets of the process lines, with the time that is left to
# each. A kernel before 6.12 takes no new time for an element that stands, so each is deleted and added in one transaction.
fill_answers() {
    if ! has_names "$1"; then return 0; fi
    fill_held=${answers_held:-$state/answers}
    if [ ! -e "$fill_held" ]; then fill_held=/dev/null; fi
    # a table that was loaded in stages has an ending behind the names of its sets
    fill_there=$(nft list sets inet 2>/dev/null) && fill_lines=$(printf '%s\n%s' "$fill_there" "$1" | awk \
        -v now="$(date +%s)" -v stands="$answer_stands" -v held="$fill_held" '
        $1 == "table" { ours = $3 == "ringfence" }
        ours && $1 == "set" && $2 ~ /^dyn[46]_/ {
            plain = $2
            sub(/_[0-9][0-9]?$/, "", plain)
            there[plain] = there[plain] " " $2
        }
        $1 == "fqdn" { lines[++names] = $0 }
        END {
            while ((getline line < held) > 0) {
                split(line, part, " ")
                left = stands - (now - part[3])
                if (left <= 0 || left > stands) continue
                family = part[2] ~ /:/ ? 6 : 4
                bare[part[1], family] = bare[part[1], family] ", " part[2]
                timed[part[1], family] = timed[part[1], family] ", " part[2] " timeout " left "s"
            }
            for (n = 1; n <= names; n++) {
                split(lines[n], word, " ")
                key = word[2] SUBSEP substr(word[3], 4, 1)
                if (word[1] != "fqdn" || timed[key] == "") continue
                for (i = split(there[word[3]], set, " "); i > 0; i--) {
                    where = " element inet ringfence " set[i] " {"
                    print "add" where substr(timed[key], 2) " }"
                    print "delete" where substr(bare[key], 2) " }"
                    print "add" where substr(timed[key], 2) " } # " word[2]
                }
            }
        }') || {
        reply answers "not filled in: nft does not tell the sets of our table"
        return 0
    }
    fill_reply "$1" "$fill_lines"
}

# load_answers: gives commands of standard input to the kernel.
load_answers() {
    nft -f -
}

# fill_elements LINES: fills the maps with `unit|user NAME MAP CHAIN KEY`, and replies what became of each.
fill_elements() {
    fill_commands=$(printf '%s' "$1" | while read -r fill_kind fill_who fill_map fill_chain fill_key; do
        case $fill_kind in unit) fill_key="\"$fill_key\"" ;; esac
        printf '%s\n' "$fill_who $fill_map { $fill_key : goto $fill_chain }"
    done)
    fill_at_once=
    if printf '%s\n' "$fill_commands" | sed 's/^[^ ]* /add element inet ringfence /' | nft -f - 2>/dev/null; then fill_at_once=1; fi
    printf '%s\n' "$fill_commands" | while read -r fill_who fill_element; do
        if [ -n "$fill_at_once" ] || fill_said=$(nft "add element inet ringfence $fill_element" </dev/null 2>&1); then
            reply process "$fill_who: enforced"
        else
            reply process "$fill_who: failed: ${fill_said%%"
"*}"
        fi
    done
}

# dropin_lines UNIT: prints the lines of a unit's drop-in for the elements of standard input, `NAME MAP CHAIN PATH
# SOCKET-UNIT`: quotes, C escapes, specifiers and variables as in systemd.service(5), "Command lines".
dropin_lines() {
    unit=$1 nft=$(command -v nft) awk '
        function quoted(text,    i, sign, out) {
            for (i = 1; i <= length(text); i++) {
                sign = substr(text, i, 1)
                out = out sign (index("\\%$", sign) ? sign : "")
            }
            return out
        }
        ($5 == "" ? $1 : $5) == ENVIRON["unit"] {
            path = quoted($4)
            element = "element inet ringfence " $2 " { \"" path "\" : goto " $3 " }"
            start = start "ExecStartPre=-+" ENVIRON["nft"] " \047add " element "\047\n"
            stop = stop "ExecStopPost=-+" ENVIRON["nft"] " \047delete " element "\047\n"
        }
        END { printf "%s%s", start, stop }'
}
