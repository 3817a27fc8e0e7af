# Denials of iptables, for watch.sh: sets whose number of entries changed are listed, and all of them now and then.

# A set that every packet refreshes does not count packets: what is told is at how many looks a peer was new or refreshed.
# shellcheck disable=SC2016,SC2034 # awk's own variables; the action puts the parts together
watch_denials='
    # when an element ends tells whether it was refreshed since it was looked at
    function uptime(    line) {
        if ((getline line < "/proc/uptime") <= 0) line = 0
        close("/proc/uptime")
        return line + 0
    }
    function list_set(set, now,    line, words, n, part, key, ends) {
        line = "ipset list " set " </dev/null 2>/dev/null"
        while ((line | getline text) > 0) {
            # 10.0.0.1,tcp:80 timeout 3599
            n = split(text, words, " ")
            if (n < 3 || words[2] != "timeout" || split(words[1], part, ",") != 2) continue
            ends = now + words[3]
            n = index(part[2], ":")
            key = memory[set] " " substr(part[2], 1, n - 1) " " part[1] " " substr(part[2], n + 1)
            if ((key in held) && ends < held[key] + 1.5) continue
            if (!(key in held) && ++keys > 65536) { split("", held); split("", met); keys = 0 }
            held[key] = ends
            tell("D " key " " ++met[key])
        }
        close(line)
    }
    function denials(    line, part, set, base, all, now) {
        if (!enforced && !first && ++rest % 5) return
        enforced = 0; all = ++looks % 3 == 0
        line = "ipset list -t </dev/null 2>/dev/null"
        split("", memory); set = ""
        while ((line | getline text) > 0) {
            split(text, part, " ")
            if (part[1] == "Name:") {
                set = ""
                if (part[2] ~ /^rf_(denied|watched)_[0-9A-Za-z]+_(in|out)[46](_g[0-9]+)?$/) {
                    set = part[2]; enforced = 1
                    split(set, base, "_")
                    memory[set] = base[2] " " base[3] " " substr(base[4], 1, length(base[4]) - 1)
                }
            } else if (set != "" && text ~ /^Number of entries:/ && part[4] != counted[set]) { counted[set] = part[4]; wanted[set] = 1 }
        }
        close(line)
        now = uptime()
        for (set in memory) if (all || set in wanted) list_set(set, now)
        split("", wanted)
    }
'
