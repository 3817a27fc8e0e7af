# Denials of nftables, for watch.sh: the counters of the chains tell which sets to list.

# nft lists one set a call (1.0.6 loses all but the last of several), so the sets of a chain are listed until they account for
# the packets that it has counted, and no more than 20 at a look: the others wait for the next one.
# shellcheck disable=SC2016,SC2034 # awk's own variables; the action puts the parts together
watch_denials='
    function list_set(chain, set,    line, part, n, i, at, words, k, key, packets, more) {
        line = "nft -nn list set inet ringfence " set " </dev/null 2>/dev/null"
        more = 0
        while ((line | getline text) > 0) {
            if (text !~ /counter packets/) continue
            sub(/^.*elements = *\{/, "", text); sub(/\}[ \t]*$/, "", text)
            n = split(text, part, ",")
            for (i = 1; i <= n; i++) {
                # peer . protocol [. port] [counter packets N bytes N], and more behind the key in any order
                k = split(part[i], words, " ")
                if (k < 5 || words[2] != ".") continue
                packets = 0
                for (at = 3; at < k; at++) if (words[at] == "packets") packets = words[at + 1] + 0
                key = chain " " words[3] " " words[1] " " (words[4] == "." ? words[5] : "-")
                if (!(key in held) && ++keys > 65536) { split("", held); keys = 1 }
                if ((key in held) && held[key] == packets) continue
                more += packets > held[key] ? packets - held[key] : packets
                held[key] = packets
                tell("D " key " " packets)
            }
        }
        close(line)
        return more
    }
    function denials(    line, part, chain, base, sets, listed, kind, i, found) {
        # where there is no table, one look in five is enough
        if (!enforced && !first && ++rest % 5) return
        enforced = 0; chain = ""
        line = "nft -nn -t list table inet ringfence </dev/null 2>/dev/null"
        while ((line | getline text) > 0) {
            enforced = 1
            split(text, part, " ")
            if (part[1] == "set") {
                chain = ""
                if (part[2] ~ /^(denied|watched)_[0-9A-Za-z]+_(in|out)[46](_bare)?(_[0-9]+)?$/) {
                    split(part[2], base, "_")
                    i = length(base[3])
                    found = substr(base[3], i) (base[4] == "bare" ? "_bare" : "")
                    sets[base[1] " " base[2] " " substr(base[3], 1, i - 1) " " found] = part[2]
                }
            } else if (part[1] == "chain") {
                chain = ""
                if (part[2] ~ /^(deny|watch)_[0-9A-Za-z]+_(in|out)(_log)?(_[0-9]+)?$/) {
                    split(part[2], base, "_")
                    chain = (base[1] == "deny" ? "denied " : "watched ") base[2] " " base[3]
                }
            } else if (chain != "" && part[1] == "counter" && part[2] == "packets") {
                # a chain may stand twice, with and without a log
                if (part[3] + 0 != counted[part[2], chain, base[4]] + 0) {
                    if (part[3] + 0 > counted[part[2], chain, base[4]] + 0)
                        wanted[chain] += part[3] - counted[part[2], chain, base[4]]
                    else { wanted[chain] += part[3]; split("", held); keys = 0 } # another table
                    counted[part[2], chain, base[4]] = part[3]
                }
                chain = ""
            }
        }
        close(line)
        listed = 0
        split("4 6 4_bare 6_bare", kind, " ")
        for (chain in wanted) {
            for (i = 1; i <= 4 && wanted[chain] > 0 && (listed < 20 || first); i++)
                if ((chain " " kind[i]) in sets) { listed++; wanted[chain] -= list_set(chain, sets[chain " " kind[i]]) }
            if (i > 4 && wanted[chain] > 0 && !first) tell("U " chain " " wanted[chain])
            if (i > 4 || wanted[chain] <= 0) delete wanted[chain]
        }
    }
'
