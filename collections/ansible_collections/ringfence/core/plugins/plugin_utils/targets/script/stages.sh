# Stages: a ruleset that the kernel takes in no single transaction, as without root outside its user namespace.
#
# All that can be large is first added to the table under names that nothing refers to, in as many transactions as it
# takes; they change no verdict. One last, small transaction deletes the whole old generation and adds the chains that
# the kernel enters by: at any moment the whole old table is enforced or the whole new one. Names of a generation end in
# `_2`, `_3`, ..., or in nothing. What others know by name keeps its name and is left to the last transaction: the chains
# of hooks, processes and plan, and the maps that processes are filled into.

# Bytes that a transaction may have at first, of the 212,992 that Linux allows a socket by default.
stage_most=180000

# Whether it was for its size that nft could not load something; musl says `large`.
too_long() {
    grep -q 'Message too l' "$work/said"
}

# load_in_stages FILE [SECONDS]: goes on where load_table could not. Stages take their time: a way back that is armed
# would come before its time, so it is armed anew, for SECONDS, when all is ready.
load_in_stages() {
    if [ -n "$2" ]; then
        stage_began=$(date +%s)
        disarm
    fi
    if ! table_objects >"$work/there"; then
        # what it has could be added to by mistake
        echo 'nft does not list the table that stands' >"$work/said"
        return 1
    fi
    if stage_table "$1" && { [ -z "$2" ] || stage_armed "$2"; } && nft -f "$work/swap.nft" >"$work/said" 2>&1; then
        return 0
    fi
    stage_drop
    return 1
}

stage_armed() {
    if [ -n "$table_stood" ]; then reply_denials; fi
    stage_ended=$(date +%s)
    reply staged "$((stage_ended - stage_began))"
    pending_way=systemd pending_deadline=$((stage_ended + $1))
    if { pending_text >"$runs/pending"; } 2>/dev/null && read_pending && arm "$1"; then return 0; fi
    echo 'the way back could not be armed again' >"$work/said"
    return 1
}

# Prints `KIND NAME` for everything in our table, nothing where there is none; fails where that cannot be known.
table_objects() {
    if nft -t list table inet ringfence >"$work/listed" 2>/dev/null; then
        sed -n 's/^	\([a-z][a-z ]* [^ ]*\) {$/\1/p' "$work/listed"
    elif ! read_kernel || [ "$kernel" != absent ]; then
        return 1
    fi
}

# Prints the commands that delete what standard input names: rules first, then what they ask, then where that leads.
deletions() {
    awk '
        $1 == "chain" { print "flush chain inet ringfence " $2; chain[++chains] = $2; next }
        { name = $NF; sub(/ [^ ]+$/, ""); other[++others] = $0 " inet ringfence " name }
        END {
            for (i = 1; i <= others; i++) print "delete " other[i]
            for (i = 1; i <= chains; i++) print "delete chain inet ringfence " chain[i]
        }'
}

# stage_table FILE: adds a generation beside what stands and makes $work/swap.nft, which said it of connections already,
# the transaction that is left. Where the kernel takes less at once than is tried first it begins again with less; what
# failed is not left behind.
stage_table() {
    sed -n '/^add element /p' "$work/swap.nft" >"$work/standing.nft"
    stage_weight=$stage_most
    until stage_generation "$1"; do
        stage_drop
        if ! too_long || [ "$stage_weight" -lt 10000 ]; then return 1; fi
        stage_weight=$((stage_weight / 2))
    done
    {
        # a table that sleeps is woken by it
        echo 'add table inet ringfence'
        deletions <"$work/there"
        cat "$work/last.nft"
        swap_through nft
        printf '%s\n%s\n' "$track_until" "$whole_mark"
    } >"$work/swap.nft"
    ends_whole "$work/swap.nft"
}

stage_generation() {
    stage_suffix=$(awk "$stage_names"'
        !fixed($NF) { used[match($NF, /_[0-9][0-9]?$/) ? substr($NF, RSTART) : ""] = 1 }
        END { suffix = ""; count = 1; while (suffix in used) suffix = "_" ++count; print suffix }' "$work/there")
    rm -f "$work"/stage.*
    # the connections are a command a line, each small enough
    awk -v suffix="$stage_suffix" -v weight="$stage_weight" -v into="$work" "$stage_names$stage_program" "$1" &&
        awk -v suffix="$stage_suffix" -v into="$work/stage.4." \
            '{ $5 = $5 suffix; file = into sprintf("%06d", NR); print >file; close(file) }' "$work/standing.nft" || return 1
    for stage_file in "$work"/stage.*; do
        if ! nft -f "$stage_file" >"$work/said" 2>&1; then return 1; fi
        rm -f "$stage_file"
    done
}

stage_drop() {
    rm -f "$work"/stage.*
    table_objects | awk -v there="$work/there" '
        BEGIN { while ((getline line < there) > 0) old[line] = 1 }
        !($0 in old)' | deletions >"$work/drop.nft"
    nft -f "$work/drop.nft" 2>/dev/null
    if [ ! -s "$work/there" ]; then nft delete table inet ringfence 2>/dev/null; fi
    return 0
}

stage_names='
    function fixed(name) {
        return name ~ /^(input|output|plan_[0-9a-f]+|(units|users)_.*|(in|out)(_u[0-9]+)?(_x[0-9]+)?)$/
    }
'
# Takes a rendered ruleset apart, line by line: what keeps its name goes to last.nft, empty maps and chains to stage.1.*,
# elements to stage.2.*, rules to stage.3.*. `weight` is the bytes of a transaction, by a guess for every line. Rules are
# commands, because nft 0.9.8 finds no set that stands already for a rule in a block.
# shellcheck disable=SC2016 # awk's own variables
stage_program='
    # begins another file where the line would be too much for this one
    function room(phase, bytes) {
        if (phase in file && filled[phase] + bytes > weight) close_file(phase)
        if (!(phase in file)) {
            file[phase] = into "/stage." phase "." sprintf("%06d", ++files)
            filled[phase] = 0
            if (phase < 3) print "table inet ringfence {" >(file[phase])
        }
        filled[phase] += bytes
    }
    function close_file(phase) {
        if (phase == 2) end_elements()
        if (phase < 3) print "}" >(file[phase])
        close(file[phase])
        delete file[phase]
    }
    function end_elements() {
        if (listing) print "\n\t\t}\n\t}" >(file[2])
        listing = 0
    }
    function renamed(line) {
        gsub(/goto [A-Za-z0-9_]+/, "&" suffix, line)
        gsub(/@(control|cut|cut_icmp|cut_bare|standing)[46]|@dyn[46]_[0-9a-f]+|@(denied|watched|in|out)_[A-Za-z0-9_]+/, "&" suffix, line)
        return line
    }
    function rule(chain, line) {
        sub(/^\t\t/, "", line)
        return "add rule inet ringfence " chain " " renamed(line)
    }
    BEGIN { last = into "/last.nft"; print "table inet ringfence {" >last }
    $0 == "table inet ringfence {" { inside = 1; next }
    !inside || /^}/ { next }
    /^\t[a-z]/ {
        kept = fixed($2)
        chain = $1 == "chain"
        name = $2 (kept ? "" : suffix)
        head = "\t" $1 " " name " {\n"
        if (!kept) room(1, 250)
        printf "%s", head >(kept ? last : file[1])
        next
    }
    /^\t}/ { print >(kept ? last : file[1]); end_elements(); next }
    chain && kept && $1 != "type" { rules[++count] = rule(name, $0); next }
    chain && !kept { room(3, NF * 60); print rule(name, $0) >(file[3]); next }
    /^\t\telements = |^\t\t\t/ {
        sub(/^\t\t(elements = \{ |\t)/, ""); sub(/(,| \})$/, "")
        room(2, NF * (/:.*:/ ? 36 : 26))
        printf "%s", (listing ? ",\n\t\t\t" : head "\t\telements = {\n\t\t\t") renamed($0) >(file[2])
        listing = 1
        next
    }
    # a property
    { print >(kept ? last : file[1]); head = head $0 "\n" }
    END {
        print "}" >last
        for (i = 1; i <= count; i++) print rules[i] >last
        for (phase = 1; phase <= 3; phase++) if (phase in file) close_file(phase)
    }
'
