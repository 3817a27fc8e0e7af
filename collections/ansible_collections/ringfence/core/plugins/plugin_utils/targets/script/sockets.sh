# Sockets: the TCP connections that stand, read from /proc, so that no tool is needed for it.

# Functions of awk: numbers, words and addresses as /proc prints them.
# shellcheck disable=SC2016 # awk's own variables
socket_words='
    function number(hex,    i, n) {
        n = 0
        for (i = 1; i <= length(hex); i++) n = n * 16 + index("0123456789ABCDEF", substr(hex, i, 1)) - 1
        return n
    }
    function word(hex) {
        if (!little) return hex
        return substr(hex, 7, 2) substr(hex, 5, 2) substr(hex, 3, 2) substr(hex, 1, 2)
    }
    function plain(hex) {
        if (length(hex) == 8) return word(hex)
        return word(substr(hex, 1, 8)) word(substr(hex, 9, 8)) word(substr(hex, 17, 8)) word(substr(hex, 25, 8))
    }
    function text(hex,    i, out) {
        if (length(hex) == 8)
            return number(substr(hex, 1, 2)) "." number(substr(hex, 3, 2)) "." number(substr(hex, 5, 2)) "." number(substr(hex, 7, 2))
        out = ""
        for (i = 1; i <= 32; i += 4) out = out (i > 1 ? ":" : "") tolower(substr(hex, i, 4))
        return out
    }
    function padded(digits) { return substr("0000" digits, length(digits) + 1) }
    function whole(address,    half, left, right, i, n, l, r, out) {
        if (address !~ /:/) return address
        n = split(address, half, "::")
        l = split(half[1], left, ":")
        r = n > 1 ? split(half[2], right, ":") : 0
        for (i = 1; i <= l; i++) out = out ":" padded(left[i])
        for (i = l + r; n > 1 && i < 8; i++) out = out ":0000"
        for (i = 1; i <= r; i++) out = out ":" padded(right[i])
        return tolower(substr(out, 2))
    }
'

# An awk program over /proc/net/tcp and tcp6 that calls `stands` for every connection that stands and `listens` for every
# listener; whoever uses it defines both. The kernel goes through a table as large as the machine's memory allows for each
# of the two files, so they are read as seldom as can be. Addresses as text; IPv4 inside IPv6 is IPv4; loopback is left out.
# shellcheck disable=SC2016 # awk's own variables
socket_program="$socket_words"'
    FILENAME !~ /^\/proc\/net\/tcp6?$/ { next }
    # established, both kinds of half closed, last ack, closing: all of them may still carry data
    $4 == "01" || $4 == "04" || $4 == "05" || $4 == "08" || $4 == "09" || $4 == "0B" || $4 == "0A" {
        split($2, here, ":"); split($3, there, ":")
        if ($4 == "0A") { listens(number(here[2])); next }
        a = plain(here[1]); b = plain(there[1])
        if (substr(a, 1, 24) == "00000000000000000000FFFF" && length(a) == 32) { a = substr(a, 25); b = substr(b, 25) }
        if (length(a) == 8 ? substr(a, 1, 2) == "7F" : a == "00000000000000000000000000000001") next
        stands((length(a) == 8 ? 4 : 6), b, text(a), text(b), number(here[2]), number(there[2]), $8, $10)
    }
'
# What the program needs to know: socket_six is the second file or nothing, socket_little the order of bytes in a word.
prepare_sockets() {
    if [ -r /proc/net/tcp6 ]; then socket_six=/proc/net/tcp6; else socket_six=; fi
    # the kernel tells it since 6.1, which spares a process
    if [ -r /proc/sys/kernel/arch ]; then read -r socket_arch </proc/sys/kernel/arch; else socket_arch=$(uname -m); fi
    case $socket_arch in s390* | ppc | ppc64 | mips | mips64 | sparc*) socket_little= ;; *) socket_little=1 ;; esac
}

# Prints `S family peer-hex local peer local-port peer-port uid inode` for a connection that stands, `L port` for a
# listener.
socket_text() {
    prepare_sockets
    # shellcheck disable=SC2086 # the second file may be none
    awk -v little="$socket_little" "$socket_program"'
        function listens(port) { print "L " port }
        function stands(family, hex, local, remote, lport, rport, uid, inode) {
            print "S", family, hex, local, remote, lport, rport, uid, inode
        }' /proc/net/tcp $socket_six
}

# Prints whose the connections are that stand, as far as the plan's processes ($rf_processes) tell them apart: `C inode
# cgroup` as the kernel has it for the socket (an accepted one has its listener's, whoever holds it now), `U unit cgroup`
# (also of the socket units that listen for it), `N user uid`.
socket_owners() {
    unit_paths "$rf_processes" >"$work/paths"
    if [ -s "$work/paths" ] && have ss; then
        sed 's/^/U /' "$work/paths"
        {
            ss -tnHe --cgroup
            ss -uanHe --cgroup
        } 2>/dev/null | awk '{
            inode = group = ""
            for (i = 6; i <= NF; i++) {
                if (inode == "" && $i ~ /^ino:/) inode = substr($i, 5)
                if (group == "" && $i ~ /^cgroup:\//) group = substr($i, 9)
            }
            if (inode != "" && group != "") print "C", inode, group
        }'
    fi
    printf '%s' "$rf_processes" | while read -r owner_kind owner_name owner_rest; do
        if [ "$owner_kind" = user ] && owner_uid=$(id -u -- "$owner_name" 2>/dev/null); then
            echo "N $owner_name $owner_uid"
        fi
    done
}

# Ends the sockets that are cut, where this kernel and this ss can; the sets of the table drop their packets anyway. What
# has no socket of its own is forgotten by connection tracking, so that no later table takes it for one that stands.
destroy_cut() {
    if [ -z "$rf_cut" ]; then return 0; fi
    printf '%s\n' "$rf_cut" | forget_flows
    if ! have ss; then return 0; fi
    printf '%s\n' "$rf_cut" | while read -r cut_family cut_protocol cut_local cut_remote cut_lport cut_rport; do
        case $cut_family:$cut_protocol in
        4:6) ss -K4 -t state all src "$cut_local" dst "$cut_remote" sport = ":$cut_lport" dport = ":$cut_rport" ;;
        6:6) ss -K6 -t state all src "[$cut_local]" dst "[$cut_remote]" sport = ":$cut_lport" dport = ":$cut_rport" ;;
        esac
    done >/dev/null 2>&1
}
