# Watch: an awk program that tells what is new on this host each time a line comes in on standard input, and ends when that
# does. Nothing of it is on the disk, and between two lines it does nothing at all.

# Before it stands the enforcer's own part (watch_denials.sh), which defines denials(). Lines that are told:
#   H 2 LITTLE TRACKED ROOT       once: order of bytes in a word (1 little), what tracks connections, 1 for root
#   F PROTOCOL CLIENT SERVER PORT STATE       a flow that was not there at the last look; PORT is - where none is known
#   S 4|6 in|out LOCAL:PORT REMOTE:PORT STATE the same of a TCP socket, in hexadecimal digits as /proc has them
#   D denied|watched RULE in|out PROTOCOL PEER PORT PACKETS   what a rule has met so far, where that has changed
#   U denied|watched RULE in|out PACKETS      packets of peers that the kernel does not remember, because its set is full
#   M NUMBER                      so many more at this look, which are not told
#   T WORD CPU                    the end of a look; WORD is what asked for it, CPU its hundredths of a second until now
# STATE is a (answered) or u (nobody has answered).
# shellcheck disable=SC2016,SC2034 # awk's own variables; the action puts the parts together
watch_program='
    function tell(line) { if (++told <= most) print line }
    function spent(    line, part, n, at) {
        if ((getline line < "/proc/self/stat") <= 0) { close("/proc/self/stat"); return 0 }
        close("/proc/self/stat")
        while ((at = index(line, ") ")) > 0) line = substr(line, at + 2)
        n = split(line, part, " ")
        return n < 15 ? 0 : part[12] + part[13] + part[14] + part[15]
    }
    function local(address) {
        return substr(address, 1, 4) == "127." || address == "::1" || address == "0000:0000:0000:0000:0000:0000:0000:0001"
    }
    # rows of connection tracking: from /proc where the kernel shows them there, else from the command
    function row() {
        if (tracked == "proc") return getline text < "/proc/net/nf_conntrack"
        return command | getline text
    }
    # ipv4 2 tcp 6 [117 [SYN_SENT]] src= dst= [sport= dport= | type= code= id=] [packets= bytes=] [[UNREPLIED]] src= dst= ...
    function flows(    part, n, i, client, server, port, ports, state, key, rows) {
        rows = 0
        while (row() > 0) {
            rows++
            n = split(text, part, " ")
            i = substr(part[6], 1, 4) == "src=" ? 6 : substr(part[7], 1, 4) == "src=" ? 7 : 5
            if (substr(part[i], 1, 4) != "src=") continue
            state = part[6] == "SYN_SENT" ? "u" : "a"
            client = substr(part[i], 5)
            if (local(client)) continue
            port = "-"
            ports = substr(part[i + 2], 1, 6) == "sport="
            if (!ports && substr(part[i + 2], 1, 5) == "type=") port = substr(part[i + 2], 6)
            for (i += 2; i <= n && substr(part[i], 1, 4) != "src="; i++) if (part[i] == "[UNREPLIED]") state = "u"
            # who answers, and from which port, is the server, also behind destination NAT
            server = substr(part[i], 5)
            if (ports) port = substr(part[i + 2], 7)
            key = part[4] " " client " " server " " port
            # of several connections the answered one counts
            if (state == "a" || !(key in now)) now[key] = state
        }
        if (tracked == "proc") close("/proc/net/nf_conntrack"); else close(command)
        return rows
    }
    function sockets(file,    line, part, n, here, there, state) {
        while ((getline line < file) > 0) {
            n = split(line, part, " ")
            split(part[2], here, ":"); split(part[3], there, ":")
            if (part[4] == "0A") listens[here[2]] = 1
            else if (part[4] ~ /^0[1-9B]$/ && part[4] != "07")
                if (there[2] != "0000" && there[1] !~ /7F$/) rows[++stand] = (length(here[1]) == 8 ? 4 : 6) " " part[2] " " part[3] " " (part[4] == "02" ? "u" : "a")
        }
        close(file)
    }
    # a key without the port of the client: its next connection is no new flow
    function standing(    i, part, here, there, key, way) {
        split("", listens); split("", rows); stand = 0
        sockets("/proc/net/tcp"); sockets("/proc/net/tcp6")
        for (i = 1; i <= stand; i++) {
            split(rows[i], part, " "); split(part[2], here, ":"); split(part[3], there, ":")
            way = here[2] in listens ? "in" : "out"
            key = way == "in" ? part[1] " in " part[2] " " there[1] ":0000" : part[1] " out " here[1] ":0000 " part[3]
            if (!(key in now) || part[4] == "a") now[key] = part[4]
        }
    }
    function look(    key, seen, count) {
        told = 0
        split("", now)
        if (tracked == "none" || flows() == 0) standing()
        count = 0
        for (key in now) {
            count++
            if (!(key in before)) { if (!first) tell((key ~ /^[46] (in|out) / ? "S " : "F ") key " " now[key]) }
            else if (before[key] == "u" && now[key] == "a") tell((key ~ /^[46] (in|out) / ? "S " : "F ") key " a")
        }
        split("", before)
        for (key in now) before[key] = now[key]
        denials()
        first = 0
        if (told > most) print "M " told - most
    }
    BEGIN {
        first = 1
        command = "{ conntrack -L -f ipv4 -o extended; conntrack -L -f ipv6 -o extended; } 2>/dev/null </dev/null"
        tracked = (getline text < "/proc/net/nf_conntrack") >= 0 ? "proc" : has_conntrack ? "command" : "none"
        close("/proc/net/nf_conntrack")
        print "H 2 " little + 0 " " tracked " " root + 0
        fflush()
        while ((getline word) > 0) {
            if (word !~ /^[0-9]+$/) break
            look()
            print "T " word " " spent()
            fflush()
        }
    }
'

watch_run() {
    LC_ALL=C
    export LC_ALL
    prepare_sockets
    watch_root=0 watch_conntrack=0
    if [ "$(id -u)" = 0 ]; then watch_root=1; fi
    if command -v conntrack >/dev/null 2>&1; then watch_conntrack=1; fi
    # mawk waits for a full buffer where it is not told that somebody speaks with it
    case $(awk -W version 2>&1 </dev/null) in mawk*) set -- -W interactive ;; *) set -- ;; esac
    exec awk "$@" -v little="$socket_little" -v root="$watch_root" -v has_conntrack="$watch_conntrack" -v most="$rf_most" \
        "$watch_denials$watch_program"
}
