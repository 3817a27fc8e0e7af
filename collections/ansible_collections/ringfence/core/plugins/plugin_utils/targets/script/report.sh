# Report: what a host without a Python for Ansible's modules tells of its sockets, processes and tracked connections. The
# controller reads the same of it as the module reads itself (module_utils/flows_report.py), and makes the same report.

# The most that is told of each: the controller reads no longer answers than 16 MB.
report_most=40000

# An awk program that reads on standard input lines of /proc/PID/status and cgroup, an empty line, and what `ls` tells of
# links below /proc/PID; everything else it reads itself. Lines that it tells:
#   S KIND WORDS...                a row of /proc/net: tcp and udp only what is wanted of them
#   A IPV4   B IPV6-DIGITS   R LOWEST HIGHEST     own addresses; the ports that clients get
#   K TIMES PROTOCOL CLIENT PORT SERVER PORT PACKETS BYTES     tracked connections; of those that no socket is told of,
#                                  all between the same ends count together, and the client's port is 0
#   O WORDS                        what tracks connections
#   P PID UID NAME   G PID CGROUP-LINE   F PID INODE   C INODE CGROUP-PATH   N UID NAME
#   U WORDS                        what could not be seen, and why
#   Z                              the end: all of it was told
# shellcheck disable=SC2016 # awk's own variables
report_program="$socket_words"'
    function tell(kind, line) { if (++told[kind] <= most) print kind " " line }
    function pair(protocol, local, lport, remote, rport) { return protocol " " local " " lport " " remote " " rport }
    function end(hex) {
        hex = plain(hex)
        if (length(hex) == 32 && substr(hex, 1, 24) == "00000000000000000000FFFF") hex = substr(hex, 25)
        return text(hex)
    }
    function known(address) {
        address = whole(address)
        return substr(address, 1, 30) == "0000:0000:0000:0000:0000:ffff:" ? text(toupper(substr(address, 31, 4) substr(address, 36))) : address
    }
    function inet(kind, protocol, file, states,    line, part, here, there) {
        while ((getline line < file) > 0) {
            split(line, part, " ")
            if (index(states, " " part[4] " ") == 0) continue
            tell("S", kind " " part[2] " " part[3] " " part[4] " " part[8] " " part[10])
            users[part[8]] = 1
            wanted[part[10]] = 1
            if (part[4] == "0A" || part[4] == "07") continue
            split(part[2], here, ":"); split(part[3], there, ":")
            pairs[pair(protocol, end(here[1]), number(here[2]), end(there[1]), number(there[2]))] = 1
        }
        close(file)
    }
    function sctp(kind, file, uid, inode,    line, part, n) {
        while ((getline line < file) > 0) {
            n = split(line, part, " ")
            if (part[uid] !~ /^[0-9]+$/) continue
            tell("S", kind " " line)
            users[part[uid]] = 1
            wanted[part[inode]] = 1
        }
        close(file)
    }
    function addresses(    line, part, previous) {
        while ((getline line < "/proc/net/fib_trie") > 0) {
            split(line, part, " ")
            if (part[1] == "|--") previous = part[2]
            else if (part[1] == "/32" && part[3] == "LOCAL" && !(previous in own)) { own[previous] = 1; tell("A", previous) }
        }
        while ((getline line < "/proc/net/if_inet6") > 0) tell("B", substr(line, 1, 32))
        if ((getline line < "/proc/sys/net/ipv4/ip_local_port_range") > 0) tell("R", line)
        close("/proc/net/fib_trie"); close("/proc/net/if_inet6"); close("/proc/sys/net/ipv4/ip_local_port_range")
    }
    function whole_number(value) { return value ~ /^[0-9]+$/ ? value + 0 : 0 }
    # ipv4 2 tcp 6 [117 [SYN_SENT]] src= dst= [sport= dport= | type= code= id=] [packets= bytes=] [[UNREPLIED]] src= dst= ...
    function entry(line,    part, n, i, at, name, value, replies, first, second, client, server, cport, sport, key, count) {
        n = split(line, part, " ")
        if (n < 6 || part[4] !~ /^[0-9]+$/) return 0
        if (part[4] == 6 && (line ~ /\[UNREPLIED\]/ || part[6] ~ /^(SYN_SENT2?|SYN_RECV|CLOSE|NONE)$/)) return 1
        split("", first); split("", second)
        for (i = 5; i <= n; i++) {
            at = index(part[i], "=")
            if (!at) continue
            name = substr(part[i], 1, at - 1); value = substr(part[i], at + 1)
            if ((name in first) && !(name in second)) { second[name] = value; replies = 1 }
            else if (replies) second[name] = value
            else first[name] = value
        }
        if (!("src" in first) || !("dst" in first) || !("src" in second)) return 1
        client = first["src"]; server = second["src"]
        cport = whole_number(first["sport"]); sport = whole_number(second["sport"])
        if (part[4] == 1 || part[4] == 58) { cport = 0; sport = "type" in first ? whole_number(first["type"]) : "-" }
        count[1] = whole_number(first["packets"]) + whole_number(second["packets"])
        count[2] = whole_number(first["bytes"]) + whole_number(second["bytes"])
        if (part[4] == 6 || part[4] == 17) {
            key = known(client); name = known(server)
            if (!(pair(part[4], key, cport, name, sport) in pairs) && !(pair(part[4], name, sport, key, cport) in pairs)) cport = 0
        } else if (part[4] != 132) cport = 0
        key = part[4] " " client " " cport " " server " " sport
        times[key]++
        packets[key] += count[1]
        octets[key] += count[2]
        return 1
    }
    function tracked(    line, said, ends, key) {
        if ((getline line < "/proc/net/nf_conntrack") >= 0) {
            ends = "proc"
            if (line != "") entry(line)
            while ((getline line < "/proc/net/nf_conntrack") > 0) entry(line)
            close("/proc/net/nf_conntrack")
        } else if (conntrack) {
            while ((command | getline line) > 0) {
                if (line == "ringfence:whole") ends = "conntrack"
                else if (!entry(line)) said = line
            }
            close(command)
            if (ends == "") ends = "none: " why_not "; conntrack: " said
        } else ends = "none: " why_not "; no conntrack command"
        tell("O", ends)
        if (ends ~ /^none/) return
        for (key in times) tell("K", sprintf("%d %s %.0f %.0f", times[key], key, packets[key], octets[key]))
    }
    function process(pid,    i) {
        if (!(pid in uids)) return
        for (i = 1; i <= groups_of[pid]; i++) if (told["P"] < most) print "G " pid " " group_of[pid, i]
        tell("P", pid " " uids[pid] " " name_of[pid])
        users[uids[pid]] = 1
    }
    function names(    line, part, uid, missing) {
        while ((getline line < "/etc/passwd") > 0) {
            split(line, part, ":")
            if (part[3] in users && !(part[3] in named)) { named[part[3]] = 1; tell("N", part[3] " " part[1]) }
        }
        close("/etc/passwd")
        if (!getent) return
        for (uid in users) if (uid ~ /^[0-9]+$/ && !(uid in named)) missing = missing " " uid
        if (missing == "") return
        missing = "getent passwd" missing " 2>/dev/null </dev/null"
        while ((missing | getline line) > 0) { split(line, part, ":"); if (part[3] in users) tell("N", part[3] " " part[1]) }
        close(missing)
    }
    # the control groups of listeners, where ss tells them
    function groups(    line, part, n, i, inode, group) {
        while ((sockets_by | getline line) > 0) {
            n = split(line, part, " ")
            inode = group = ""
            for (i = 6; i <= n; i++) {
                if (inode == "" && part[i] ~ /^ino:/) inode = substr(part[i], 5)
                if (group == "" && part[i] ~ /^cgroup:\//) group = substr(part[i], 9)
            }
            if (inode != "" && group != "") tell("C", inode " " group)
        }
        close(sockets_by)
    }
    BEGIN {
        inet("tcp", 6, "/proc/net/tcp", " 01 04 05 06 08 09 0A 0B ")
        inet("tcp", 6, "/proc/net/tcp6", " 01 04 05 06 08 09 0A 0B ")
        inet("udp", 17, "/proc/net/udp", " 01 07 ")
        inet("udp", 17, "/proc/net/udp6", " 01 07 ")
        sctp("endpoint", "/proc/net/sctp/eps", 7, 8)
        sctp("association", "/proc/net/sctp/assocs", 10, 11)
        addresses()
        listing = 1
    }
    listing && $0 == "" { listing = 0; next }
    listing {
        if (!match($0, /^\/proc\/[0-9]+\/(status|cgroup):/)) next
        split($0, path, "/")
        line = substr($0, RLENGTH + 1)
        if (substr(path[4], 1, 7) == "cgroup:") group_of[path[3], ++groups_of[path[3]]] = line
        else if (substr(line, 1, 5) == "Name:") name_of[path[3]] = substr(line, 6)
        else if (substr(line, 1, 4) == "Uid:") { split(line, part, " "); uids[path[3]] = part[3]; every[++count] = path[3] }
        next
    }
    # A link may lead to a name that looks like a line of this: only lines of the very shape count, and a process of which two
    # lists are told is not believed.
    /^\/proc\/[0-9]+\/fd:$/ {
        split($0, path, "/")
        pid = path[3]
        if (pid in opened) doubtful[pid] = 1
        opened[pid] = 1
        next
    }
    NF < 3 || NF > 11 || $(NF - 1) != "->" { next }
    pid == "" && $NF ~ /^net:\[[0-9]+\]$/ && $(NF - 2) ~ /^\/proc\/(self|[0-9]+)\/ns\/net$/ {
        split($(NF - 2), path, "/")
        network[path[3]] = $NF
        next
    }
    pid != "" && $NF ~ /^socket:\[[0-9]+\]$/ && $(NF - 2) ~ /^[0-9]+$/ {
        inode = substr($NF, 9, length($NF) - 9)
        if (inode in wanted) holds[++held] = pid " " inode
    }
    END {
        for (i = 1; i <= count; i++) {
            if ("self" in network && every[i] in network && network[every[i]] != network["self"]) continue
            process(every[i])
        }
        for (i = 1; i <= held; i++) {
            split(holds[i], path, " ")
            if (!(path[1] in doubtful) && !((path[1], path[2]) in shown)) { shown[path[1], path[2]] = holder[path[2]] = 1; tell("F", holds[i]) }
        }
        if (asked) tracked()
        if (sockets_by != "") groups()
        names()
        for (i in doubtful) tell("U", "the sockets of process " i " are unknown: the name of an open file imitates their list")
        for (i in wanted) if (i + 0 && !(i in holder)) lost++
        if (!root && lost) tell("U", "the processes of " lost " sockets are unknown: only root sees those of other users")
        if (hidden) tell("U", "processes of other users are unknown: /proc does not show them (hidepid)")
        words["S"] = "sockets"; words["K"] = "tracked connections"; words["P"] = "processes"
        words["F"] = "sockets of processes"; words["N"] = "users"; words["C"] = "control groups"; words["U"] = "of these lines"
        words["A"] = words["B"] = "addresses"
        for (kind in told) if (told[kind] > most) print "U " told[kind] - most " " words[kind] " are left out: more than " most " are not told"
        print "Z"
    }
'

# The lines of the report, between the first and one that counts them.
report_lines() {
    report_root=0 report_hidden=0 report_conntrack=0 report_getent=0 report_ss='' report_quoting=''
    if [ "$(id -u)" = 0 ]; then report_root=1; fi
    if [ ! -d /proc/1 ]; then report_hidden=1; fi
    if have conntrack; then report_conntrack=1; fi
    if have getent; then report_getent=1; fi
    if have ss && [ -d /run/systemd/system ]; then report_ss='ss -tlnHe --cgroup 2>/dev/null </dev/null'; fi
    if [ -e /proc/net/nf_conntrack ]; then report_why='Permission denied'; else report_why='No such file or directory'; fi
    # what is no printable character becomes a question mark: busybox does so by itself and knows no -q
    if ls -q /proc/self/fd >/dev/null 2>&1; then report_quoting=q; fi
    {
        # not by awk: mawk ends where a process does while it is read
        grep -E '^(Name|Uid):' /dev/null /proc/[0-9]*/status 2>/dev/null
        grep -E '^(0:|[0-9]+:name=systemd):' /dev/null /proc/[0-9]*/cgroup 2>/dev/null
        echo
        ls "-ln$report_quoting" /proc/self/ns/net /proc/[0-9]*/ns/net /proc/[0-9]*/fd 2>/dev/null
    } | awk -v little="$socket_little" -v most="$report_most" -v root="$report_root" -v hidden="$report_hidden" -v asked="$rf_conntrack" \
        -v conntrack="$report_conntrack" -v getent="$report_getent" -v sockets_by="$report_ss" \
        -v why_not="/proc/net/nf_conntrack: $report_why" \
        -v command='{ conntrack -L -f ipv4 -o extended && conntrack -L -f ipv6 -o extended && echo ringfence:whole; } 2>&1 </dev/null' \
        "$report_program"
}

report() {
    prepare_sockets
    if [ -n "$socket_little" ]; then reply order little; else reply order big; fi
    reply observed "$(date -u +%Y-%m-%dT%H:%M:%SZ)"
    report_host=
    IFS= read -r report_host </proc/sys/kernel/hostname
    reply host "$report_host"
    if [ -d /run/systemd/system ]; then reply systemd yes; fi
    echo ringfence:begin report
    report_lines
    echo
    echo ringfence:end report
}
