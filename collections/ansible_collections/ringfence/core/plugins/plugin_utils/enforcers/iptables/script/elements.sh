# Elements: what sets and chains are given beside their rules: processes, answers, connections.

# Functions of awk: the rules that end a connection, of lines `family protocol local remote local-port remote-port`; of
# messages `family protocol client server type type-of-the-answer`, of what has no ports `family protocol client server 0 0`.
# shellcheck disable=SC2016 # awk's own variables
cut_program='
    BEGIN { module[6] = "tcp"; module[17] = "udp"; module[132] = "sctp" }
    function drop(conditions) { print "-A rf_cut_in " conditions " -j DROP"; print "-A rf_cut_out " conditions " -j DROP" }
    NF != 6 || $1 != family { next }
    $2 in module {
        name = module[$2]
        print "-A rf_cut_in -s " $4 " -d " $3 " -p " name " -m " name " --sport " $6 " --dport " $5 " -j DROP"
        print "-A rf_cut_out -s " $3 " -d " $4 " -p " name " -m " name " --sport " $5 " --dport " $6 " -j DROP"
        next
    }
    { ends = "-p " $2 " -m conntrack --ctorigsrc " $3 " --ctreplsrc " $4 }
    $2 == 1 || $2 == 58 {
        asks = $2 == 1 ? " -m icmp --icmp-type " : " -m icmp6 --icmpv6-type "
        drop(ends asks $5)
        if ($6 != "-") drop(ends asks $6)
        next
    }
    { drop(ends) }
'

# cut_rules FAMILY: prints a transaction that ends the connections of $rf_cut.
cut_rules() {
    echo '*filter'
    printf '%s\n' "$rf_cut" | awk -v family="$1" "$cut_program" | awk '!seen[$0]++'
    echo COMMIT
}

# Adds the connections of $work/sockets to the sets and rules that are loaded, without those that are cut. Datagrams have
# no first packet that begins another connection: what stood of them and was not tracked has three minutes to speak.
standing_elements() {
    printf '%s\n' "$rf_cut" >"$work/cut" || return 1
    awk -v generation="_g$generation" -v cut="$work/cut" '
        function add(family, protocol, local, remote, lport, rport, time) {
            if ((protocol, local, remote, lport, rport) in gone) return
            print "add rf_standing_l" family generation " " local "," protocol ":" lport "," remote time " -exist"
            print "add rf_standing_r" family generation " " local "," protocol ":" rport "," remote time " -exist"
        }
        BEGIN {
            name[6] = "tcp"; name[17] = "udp"; name[132] = "sctp"
            while ((getline line < cut) > 0)
                if (split(line, part, " ") == 6) gone[name[part[2]], part[3], part[4], part[5], part[6]] = 1
        }
        $1 == "S" { add($2, "tcp", $4, $5, $6, $7, "") }
        $1 == "F" && ($3 == 17 || $3 == 132) && ($11 == "socket" || ($11 == "new" && $4 != "in")) {
            add($2, name[$3], $5, $6, $7, $8, " timeout 180")
        }' "$work/sockets" >>"$work/ipset" || return 1
    if [ -z "$rf_cut" ]; then return 0; fi
    cut_rules 4 >>"$work/ipv4" && cut_rules 6 >>"$work/ipv6"
}

# Ends what is cut only now, in the rules that stand.
cut_more() {
    if [ -z "$rf_cut" ]; then return 0; fi
    find_stem
    cut_rules 4 | give "$stem" >"$work/said" || reply uncut "$(head -n 1 "$work/said")"
    cut_rules 6 | give "$six" >"$work/said" || reply uncut "$(head -n 1 "$work/said")"
    destroy_cut
}

# fill_answers LINES: puts the answers that are kept into the sets of the process lines, with the time that is left.
fill_answers() {
    if ! has_names "$1"; then return 0; fi
    fill_held=${answers_held:-$state/answers}
    if [ ! -e "$fill_held" ]; then fill_held=/dev/null; fi
    fill_there=$(ipset list -n 2>/dev/null) && fill_lines=$(printf '%s\n%s' "$fill_there" "$1" | awk \
        -v now="$(date +%s)" -v stands="$answer_stands" -v held="$fill_held" '
        /^rf_dyn[46]_[0-9a-f]*_g[0-9]*$/ { plain = $1; sub(/_g[0-9]*$/, "", plain); there[plain] = there[plain] " " $1; next }
        $1 == "fqdn" { named[$2] = named[$2] " " $3 }
        END {
            while ((getline line < held) > 0) {
                split(line, part, " ")
                left = stands - (now - part[3])
                if (left <= 0 || left > stands) continue
                family = part[2] ~ /:/ ? 6 : 4
                for (i = split(named[part[1]], set, " "); i > 0; i--) {
                    if (substr(set[i], 7, 1) != family) continue
                    for (k = split(there[set[i]], full, " "); k > 0; k--)
                        print "add " full[k] " " part[2] " timeout " left " -exist # " part[1]
                }
            }
        }') || {
        reply answers "not filled in: ipset does not tell our sets"
        return 0
    }
    fill_reply "$1" "$fill_lines"
}

# load_answers: gives commands of standard input to the kernel; ipset 6.38 knows no comment behind one.
load_answers() {
    sed 's/ # .*//' | ipset restore
}

# process_rules STEM LINES: prints a transaction that puts `unit|user NAME CHAIN TARGET KEY` in place of what their chains
# ask for, the deepest control group first.
process_rules() {
    { "$1-save" 2>/dev/null; printf '%s\n' "$2" | sed 's/^/+ /'; } | awk '
        /^\*/ { filter = $0 == "*filter" }
        filter && /^-A rf_/ && (/ --path / || / --uid-owner /) { line = $0; sub(/^-A/, "-D", line); old[++olds] = line; of[olds] = $2; next }
        $1 == "+" && ($2 == "unit" || $2 == "user") {
            mine[$4] = 1
            depth = $2 == "unit" ? split($6, part, "/") : 0
            gsub(/\\/, "\\\\", $6)
            asks = $2 == "unit" ? "-m cgroup --path \"" $6 "\"" : "-m owner --uid-owner " $6
            new[depth] = new[depth] "-I " $4 " 1 " asks " -g " $5 "\n"
            if (depth > deepest) deepest = depth
        }
        END {
            print "*filter"
            for (i = 1; i <= olds; i++) if (of[i] in mine) print old[i]
            for (depth = 0; depth <= deepest; depth++) printf "%s", new[depth]
            print "COMMIT"
        }'
}

# fill_elements LINES: fills the chains with `unit|user NAME CHAIN TARGET KEY`, and replies what became of each.
fill_elements() {
    find_stem
    fill_said=$(for fill_name in "$stem" "$six"; do
        process_rules "$fill_name" "$1" | give "$fill_name" || echo failed
    done)
    fill_all=$1
    printf '%s' "$1" | while read -r fill_kind fill_who fill_chain fill_target fill_key; do
        if [ -z "$fill_said" ]; then
            reply process "$fill_who: enforced"
            continue
        fi
        # one that fails takes no other with it
        case $fill_kind in unit) set -- -m cgroup --path "$fill_key" ;; *) set -- -m owner --uid-owner "$fill_key" ;; esac
        fill_failed=
        for fill_name in "$stem" "$six"; do
            "$fill_name" -w -C "$fill_chain" "$@" -g "$fill_target" 2>/dev/null ||
                fill_one=$("$fill_name" -w -I "$fill_chain" 1 "$@" -g "$fill_target" 2>&1) || fill_failed=$fill_one
        done
        if [ -z "$fill_failed" ]; then reply process "$fill_who: enforced"; else
            reply process "$fill_who: failed: ${fill_failed%%"
"*}"
        fi
    done
}

# dropin_lines UNIT: prints the lines of a unit's drop-in for the elements of standard input, `NAME CHAIN TARGET PATH
# SOCKET-UNIT`: quotes, C escapes, specifiers and variables as in systemd.service(5), "Command lines". A rule goes before
# its control group does: with one that is gone, the legacy variant loads no table again. The lock of iptables is waited
# for, since others begin at the same moment after a boot, but not for ever: no unit fails to start because of it.
dropin_lines() {
    find_stem
    dropin_timeout=$(command -v timeout) && dropin_timeout="$dropin_timeout 10 "
    unit=$1 four=$dropin_timeout$(command -v "$stem")\ -w six=$dropin_timeout$(command -v "$six")\ -w awk '
        function quoted(text,    i, sign, out) {
            for (i = 1; i <= length(text); i++) {
                sign = substr(text, i, 1)
                out = out sign (index("\\%$", sign) ? sign : "")
            }
            return out
        }
        ($5 == "" ? $1 : $5) == ENVIRON["unit"] {
            asks = " -m cgroup --path \"" quoted($4) "\" -g " $3
            for (i = 1; i <= 2; i++) {
                tool = i == 1 ? ENVIRON["four"] : ENVIRON["six"]
                start = start "ExecStartPre=-+" tool " -D " $2 asks "\nExecStartPre=-+" tool " -I " $2 " 1" asks "\n"
                stop = stop "ExecStopPost=-+" tool " -D " $2 asks "\n"
            }
        }
        END { printf "%s%s", start, stop }'
}
