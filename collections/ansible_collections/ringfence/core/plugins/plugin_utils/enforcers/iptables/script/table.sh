# The kernel's tables: which variant of iptables ours are in, whether they stand, and how others take their place.
#
# Sets are made under names of a new generation first; then each family swaps in transactions of its own, so for some
# 10 ms one of them has the new rules and the other the old ones. Both are tried before one is swapped, and what was
# swapped is taken back where the other fails.

# What sentences call the program, the units that flush its rules, those of other firewalls that do, and whether maps of units are one for each depth.
filter_tool=iptables
flushers='netfilter-persistent.service iptables.service ip6tables.service'
wipers=$iptables_wipers
map_levels=

need_tools() {
    for need_tool in iptables iptables-save iptables-restore ip6tables-save ip6tables-restore ipset; do
        if ! have "$need_tool"; then
            refuse iptables "$need_tool is not installed: install the packages iptables and ipset"
        fi
    done
}

# Prints the names of iptables on this host, one for each variant that it has.
stems() {
    if have iptables-legacy-save && have iptables-nft-save; then echo iptables-legacy iptables-nft; else echo iptables; fi
}

# find_stem: stem is the variant whose rules are this host's own, else where ours are, else what `iptables` is; six is
# the same for IPv6.
find_stem() {
    stem_own='' stem_ours=''
    for stem in $(stems); do
        case $({ "$stem-save" && "ip6tables${stem#iptables}-save"; } 2>/dev/null | awk '
            /^-A rf_/ || /^:rf_/ { ours = 1; next }
            /^-A / && $2 !~ /^rfe_/ && $NF !~ /^rfe?_/ { own = 1 }
            END { print (ours ? "ours" : "") (own ? "own" : "") }') in
        oursown) stem_ours=$stem stem_own="$stem_own $stem" ;;
        ours) stem_ours=$stem ;;
        own) stem_own="$stem_own $stem" ;;
        esac
    done
    stem=${stem_ours:-iptables}
    case $stem_own in
    ' '*' '*) ;;
    ' '*) stem=${stem_own# } ;;
    esac
    if [ "$stem" = iptables ] && have iptables-legacy-save && have iptables-nft-save; then
        case $(iptables --version 2>/dev/null) in *nf_tables*) stem=iptables-nft ;; *) stem=iptables-legacy ;; esac
    fi
    six=ip6tables${stem#iptables}
}

# Prints what the kernel has of ours, as read_kernel wants it; the table is what the chains of the plan tell where both
# families are entered and agree. A chain that only tracks decides nothing.
kernel_words() {
    for read_stem in $(stems); do
        for read_name in "$read_stem" "ip6tables${read_stem#iptables}"; do
            echo "family ${read_name%%tables*}"
            "$read_name-save" 2>/dev/null || return 1
        done
    done
    echo "$whole_mark"
}
# shellcheck disable=SC2016 # awk's own variables
kernel_program='
    $1 == "family" { family = $2 }
    /^\*/ { filter = $0 == "*filter" }
    /^:rf_/ && $1 != ":rf_track" { found = "present" }
    filter && /^:rf_plan_/ { count[family]++; plan[family] = substr($1, 10) }
    filter && $0 == "-A INPUT -j rf_in" { entered[family]++ }
    filter && $0 == "-A OUTPUT -j rf_out" { entered[family]++ }
    function told() {
        whole = count["ip"] == 1 && count["ip6"] == 1 && entered["ip"] == 2 && entered["ip6"] == 2
        return found (whole && plan["ip"] == plan["ip6"] ? " " plan["ip"] : "")
    }
'

# plan_chain TABLE: the name of the empty chain that tells which table stands, in chain.
plan_chain() {
    chain=rf_plan_${1%"${1#????????????????}"}
}

# has_in_kernel TABLE: whether read_kernel found this one.
has_in_kernel() {
    plan_chain "$1"
    [ -n "$1" ] && [ "rf_plan_$kernel_table" = "$chain" ]
}

stands() {
    [ -n "$1" ] && read_kernel && has_in_kernel "$1"
}

# transaction STEM FILE: prints what STEM-restore takes to put the rules of FILE in place of all of ours.
#
# Each table of a family is a transaction. Where classes are told by the mark, `mangle` gives it and `filter` asks for it:
# `mangle` comes first, and goes last. Where the numbers of the old classes would be taken for those of the new ones, what
# asks for them drops in between.
transaction() {
    { "$1-save" 2>/dev/null || echo failed; } | awk -v file="$2" '
        function put(table,    i, old) {
            if (!(table in tables)) return
            printf "*%s\n%s", table, heads[table]
            for (i = 1; i <= count; i++) if (there[i] == table && !((table, name[i]) in kept)) {
                print ":" name[i] " - [0:0]"
                old = old "-X " name[i] "\n"
            }
            printf "%s%s%sCOMMIT\n", gone[table], body[table], old
        }
        $1 == "failed" { failed = 1; exit }
        /^\*/ { table = substr($0, 2) }
        table == "filter" && /^-A rf_/ && / --mark / { asked[$2] = 1; marked = 1 }
        /^:rf_/ { there[++count] = table; name[count] = substr($1, 2); tables[table] = 1 }
        /^-A / && $2 !~ /^rf_/ && $NF ~ /^rf_/ { sub(/^-A/, "-D"); gone[table] = gone[table] $0 "\n"; tables[table] = 1 }
        END {
            if (failed) exit 1
            while ((getline line < file) > 0) {
                if (line ~ /^\*/) { into = substr(line, 2); tables[into] = 1 }
                else if (line ~ /^:/) { heads[into] = heads[into] line "\n"; split(line, part, " "); kept[into, substr(part[1], 2)] = 1 }
                else if (line != "COMMIT") {
                    body[into] = body[into] line "\n"
                    if (into == "filter" && line ~ / --mark /) marks = 1
                }
            }
            if (marked && marks) {
                print "*filter"
                for (chain in asked) print "-I " chain " 1 -j DROP"
                print "COMMIT"
            }
            if (marks) put("mangle")
            put("filter")
            if (!marks) put("mangle")
        }'
}

# rules_there STEM: prints the rules of ours that stand, as a file for `transaction`.
rules_there() {
    "$1-save" 2>/dev/null | awk '
        /^\*/ || /^:rf_/ || /^-A rf_/ || $0 == "COMMIT" { print; next }
        /^-A / && $NF ~ /^rf_/ { print "-I " $2 " 1 -j " $NF }'
}

# take_apart FILE: makes $work/ipset, $work/ipv4 and $work/ipv6 of a text, its sets of the generation that is free.
take_apart() {
    generation=$(ipset list -n 2>/dev/null | awk '
        /^rf_.*_g[0-9]+$/ { sub(/.*_g/, ""); used[$0] = 1 }
        END { free = 0; while (free in used) free++; print free }')
    for apart_file in ipset ipv4 ipv6; do : >"$work/$apart_file" || return 1; done
    awk -v into="$work/" -v generation="_g$generation" '
        /^# section / { file = into $3; next }
        /^#/ || file == "" { next }
        { gsub(/_g0 /, generation " "); sub(/_g0$/, generation); print >file }' "$1"
}

# take NAME FILE [--test]: gives a transaction to NAME-restore; what it says is in $work/said. Another program may hold
# the lock of iptables for a moment, and 1.4.21 cannot be told to wait for it here.
take() {
    take_tries=0
    until "$1-restore" --noflush ${3+"$3"} <"$2" >"$work/said" 2>&1; do
        take_tries=$((take_tries + 1))
        if [ "$take_tries" -ge 50 ] || ! grep -q 'xtables lock' "$work/said"; then return 1; fi
        sleep 0.2 2>/dev/null || sleep 1
    done
}

# give NAME: the same for the transaction of standard input; prints what NAME-restore said of it.
give() {
    give_text=$(cat)
    give_tries=0
    until give_said=$(printf '%s\n' "$give_text" | "$1-restore" --noflush 2>&1); do
        give_tries=$((give_tries + 1))
        case $give_said in *'xtables lock'*) ;; *) give_tries=50 ;; esac
        if [ "$give_tries" -ge 50 ]; then
            printf '%s\n' "$give_said"
            return 1
        fi
        sleep 0.2 2>/dev/null || sleep 1
    done
    if [ -n "$give_said" ]; then printf '%s\n' "$give_said"; fi
}

# Whether both families take the new rules: nothing is changed.
try_families() {
    transaction "$stem" "$work/ipv4" >"$work/swap.ipv4" && transaction "$six" "$work/ipv6" >"$work/swap.ipv6" &&
        take "$stem" "$work/swap.ipv4" --test && take "$six" "$work/swap.ipv6" --test
}

# A packet is of one family and meets either all of its old rules or all of its new ones, so it passes only where the old
# or the new table lets it: which family is first makes no difference to that.
swap_families() {
    rules_there "$six" >"$work/there.ipv6" && rules_there "$stem" >"$work/there.ipv4" || return 1
    if take "$six" "$work/swap.ipv6" && take "$stem" "$work/swap.ipv4"; then return 0; fi
    swap_said=$(cat "$work/said")
    take_back "$stem" ipv4 || load_torn=1
    take_back "$six" ipv6 || load_torn=1
    printf '%s\n' "$swap_said" >"$work/said"
    return 1
}

# take_back NAME FAMILY: puts what stood back into a family.
take_back() {
    transaction "$1" "$work/there.$2" >"$work/swap.$2" && take "$1" "$work/swap.$2"
}

# destroy_sets [GENERATION]: destroys our sets, all but those of a generation; what is in use stays.
destroy_sets() {
    ipset list -n 2>/dev/null | awk -v keep="_g${1-none}" '
        /^rf_/ && substr($0, length($0) - length(keep) + 1) != keep { print "destroy " $0 }' |
        while read -r destroy_line; do
            # shellcheck disable=SC2086 # a command and a name
            ipset $destroy_line 2>/dev/null
        done
    return 0
}

# Takes ours out of every other variant than the one they are in now.
leave_others() {
    : >"$work/nothing"
    for other_stem in $(stems); do
        if [ "$other_stem" != "$stem" ]; then clear_stem "$other_stem"; fi
    done
}

clear_stem() {
    for clear_name in "$1" "ip6tables${1#iptables}"; do
        if "$clear_name-save" 2>/dev/null | grep -q '^:rf_'; then transaction "$clear_name" /dev/null | give "$clear_name" >/dev/null; fi
    done
}

# Whether iptables and ipset take the ruleset of standard input: its sets are made and destroyed again.
check_ruleset() {
    find_stem
    cat >"$work/check" || return 1
    take_apart "$work/check" || return 1
    ipset restore <"$work/ipset" >"$work/said" 2>&1 && try_families
    check_status=$?
    ipset list -n 2>/dev/null | sed -n "s/^rf_.*_g$generation\$/&/p" | while read -r check_set; do
        ipset destroy "$check_set" 2>/dev/null
    done
    return "$check_status"
}

# reads FILE: whether a confirmed text is of this enforcer.
reads() {
    grep -q '^# section ipset' "$1"
}

# delete_table: takes all of ours out of the kernel.
delete_table() {
    for delete_stem in $(stems); do clear_stem "$delete_stem"; done
    destroy_sets
}

# open_command TABLE: prints the command that opens the host where this table stands and no script is left, without `$`.
# With `-w` it waits for the lock of iptables, as 1.4.21 and all that followed can.
open_command() {
    plan_chain "$1"
    for open_stem in $(stems); do
        open_six=ip6tables${open_stem#iptables}
        printf '%s' "if $open_stem -w -n -L $chain; then $open_stem -w -D INPUT -j rf_in; $open_stem -w -D OUTPUT -j rf_out; "
        printf '%s\n' "$open_six -w -D INPUT -j rf_in; $open_six -w -D OUTPUT -j rf_out; fi"
    done
}

# boot_check: prints the command that fails where nothing of ours is in the kernel.
boot_check() {
    find_stem
    printf '%s' "$(command -v "$stem") -w -n -L rf_in"
}

# Before a direction first enforces, conntrack must see connections begin: a rule that asks for it is enough, also in a
# chain that nothing leads to. The swap deletes it again.
track_until=
track_first() {
    track_until='' table_stood=''
    find_stem
    track_listed=$(ipset list -n 2>/dev/null | grep -E '^rf_(denied|watched)_')
    if read_kernel && [ -n "$kernel_table" ]; then
        table_stood=1
        return 0
    fi
    for track_name in "$stem" "$six"; do
        printf '*filter\n:rf_track - [0:0]\n-A rf_track -m conntrack --ctstate NEW -j RETURN\nCOMMIT\n' |
            give "$track_name" >/dev/null && track_until=1
    done
}

track_no_more() {
    if [ -z "$track_until" ]; then return 0; fi
    for track_name in "$stem" "$six"; do
        printf '*filter\n:rf_track - [0:0]\n-X rf_track\nCOMMIT\n' | give "$track_name" >/dev/null
    done
    track_until=
}

# load_table FILE [SECONDS]: swaps it in together with the connections of $work/sockets, which it prints as a section of
# the reply, after track_first. What iptables or ipset said is in $work/said.
load_table() {
    load_written='' load_torn=
    echo 'ringfence:begin sockets'
    cat "$work/sockets"
    printf '\nringfence:end sockets\n'
    if take_apart "$1" && standing_elements; then
        lock_emergency
        swap_through iptables >>"$work/ipv4" && swap_through iptables >>"$work/ipv6"
        load_written=1
        if ipset restore <"$work/ipset" >"$work/said" 2>&1 && try_families && swap_families; then
            leave_emergency
            track_until=
            leave_others
            destroy_sets "$generation"
            return 0
        fi
    fi
    leave_emergency
    # what the rules that stand ask for cannot be destroyed
    destroy_sets
    track_no_more
    return 1
}

# load_back FILE TABLE: loads what was confirmed, with the connections that stand, else without them; succeeds when the
# kernel was read to have it. load_said is what iptables said, load_done whether it took it.
load_back() {
    load_said='' load_done=''
    if [ -z "$work" ]; then
        work=/dev/shm/ringfence.$$
        mkdir -m 700 "$work" 2>/dev/null || return 1
    fi
    track_first
    sockets_of "$work/sockets"
    load_table "$1" >/dev/null 2>&1
    if stands "$2"; then return 0; fi
    { true >"$work/sockets"; } 2>/dev/null
    load_table "$1" >/dev/null 2>&1 && load_done=1
    load_said=$(head -n 1 "$work/said" 2>/dev/null)
    stands "$2"
}

# What the kernel recorded would go with the sets: it is part of the reply first.
reply_denials() {
    if [ -z "$track_listed" ]; then return 0; fi
    {
        echo '# section ipset'
        for denial_set in $track_listed; do ipset save "$denial_set" 2>/dev/null; done
    } | reply_section denials
}
