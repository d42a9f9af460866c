package projections

import (
	"strconv"
	"strings"

	"btda/events"
)

// clientCode is the first 8 bytes of a peer id; other than printable ASCII, and the backslash, is written as \xNN.
func clientCode(id events.PeerID) string {
	var b strings.Builder
	for _, c := range id[:8] {
		if c >= 0x20 && c < 0x7f && c != '\\' {
			b.WriteByte(c)
			continue
		}
		b.WriteString(`\x`)
		b.WriteByte(hexDigits[c>>4])
		b.WriteByte(hexDigits[c&15])
	}
	return b.String()
}

const hexDigits = "0123456789abcdef"

// clientName decodes the name and version of a client from its peer id, in the styles of Azureus (-XX1234-), of aria2 and
// Mainline (M1-2-3--) and of Shadow (S123------). It is empty for other ids and unknown codes.
func clientName(id events.PeerID) string {
	s := string(id[:])
	if s[0] == '-' && s[7] == '-' {
		return azureusName(s[1:3], s[3:7])
	}
	if rest, ok := strings.CutPrefix(s, "A2-"); ok {
		return dashedName("aria2", rest)
	}
	if s[0] == 'M' && s[2] == '-' {
		return dashedName("Mainline", s[1:])
	}
	return shadowName(s)
}

func azureusName(code, version string) string {
	name, ok := azureusClients[code]
	if !ok {
		return ""
	}
	if taggedClients[code] {
		version = version[:3]
	}
	var numbers []string
	for i := range len(version) {
		n, ok := versionDigit(version[i])
		if !ok {
			break
		}
		numbers = append(numbers, strconv.Itoa(n))
	}
	return withVersion(name, numbers)
}

// versionDigit reads one character of a version: 0 to 9, then A for 10 and so on, then a for 36 and so on.
func versionDigit(c byte) (int, bool) {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0'), true
	case c >= 'A' && c <= 'Z':
		return int(c-'A') + 10, true
	case c >= 'a' && c <= 'z':
		return int(c-'a') + 36, true
	}
	return 0, false
}

// withVersion leaves out zeros at the end of a version, but for the second number.
func withVersion(name string, numbers []string) string {
	for len(numbers) > 2 && numbers[len(numbers)-1] == "0" {
		numbers = numbers[:len(numbers)-1]
	}
	return strings.TrimSpace(name + " " + strings.Join(numbers, "."))
}

// dashedName reads numbers that dashes part, up to an empty one or the random part.
func dashedName(name, rest string) string {
	var numbers []string
	for part := range strings.SplitSeq(rest, "-") {
		if part == "" || len(part) > 3 || strings.Trim(part, "0123456789") != "" {
			break
		}
		numbers = append(numbers, part)
	}
	if len(numbers) == 0 {
		return ""
	}
	return withVersion(name, numbers)
}

func shadowName(s string) string {
	name, ok := shadowClients[s[0]]
	version := strings.TrimRight(s[1:6], "-")
	if !ok || version == "" || s[6:9] != "---" {
		return ""
	}
	var numbers []string
	for i := range len(version) {
		n, ok := versionDigit(version[i])
		if !ok {
			return ""
		}
		numbers = append(numbers, strconv.Itoa(n))
	}
	return withVersion(name, numbers)
}

// taggedClients have a letter for the kind of build in the last place of the version.
var taggedClients = map[string]bool{"UT": true, "UM": true, "UW": true, "UE": true, "BT": true}

var shadowClients = map[byte]string{
	'A': "ABC", 'O': "Osprey Permaseed", 'Q': "BTQueue", 'R': "Tribler", 'S': "Shadow", 'T': "BitTornado", 'U': "UPnP NAT BitTorrent",
}

// azureusClients names the codes of two characters, as BEP 20 and the clients themselves give them.
var azureusClients = map[string]string{
	"7T": "aTorrent", "AG": "Ares", "AN": "Ares", "AR": "Arctic", "AV": "Avicora", "AX": "BitPump", "AZ": "Vuze",
	"BB": "BitBuddy", "BC": "BitComet", "BE": "Baretorrent", "BF": "Bitflu", "BG": "BTG", "BI": "BiglyBT", "BL": "BitLord",
	"BP": "BitTorrent Pro", "BR": "BitRocket", "BS": "BTSlave", "BT": "BitTorrent", "BW": "BitWombat", "BX": "Bittorrent X",
	"CD": "Enhanced CTorrent", "CT": "CTorrent", "DE": "Deluge", "DP": "Propagate Data Client", "EB": "EBit",
	"ES": "Electric Sheep", "FC": "FileCroc", "FD": "Free Download Manager", "FG": "FlashGet", "FT": "FoxTorrent",
	"FW": "FrostWire", "GM": "GetRight", "GS": "GSTorrent", "GT": "anacrolix/torrent", "HL": "Halite", "HN": "Hydranode",
	"KG": "KGet", "KT": "KTorrent", "LC": "LeechCraft", "LH": "LH-ABC", "LP": "Lphant", "LT": "libtorrent", "LW": "LimeWire",
	"MG": "MediaGet", "MK": "Meerkat", "MO": "MonoTorrent", "MP": "MooPolice", "MR": "Miro", "MT": "MoonlightTorrent",
	"NX": "Net Transport", "OS": "OneSwarm", "OT": "OmegaTorrent", "PD": "Pando", "PI": "PicoTorrent", "QD": "QQDownload",
	"QT": "Qt 4", "RT": "Retriever", "RZ": "RezTorrent", "SB": "Swiftbit", "SD": "Xunlei", "SG": "GS Torrent", "SM": "SoMud",
	"SN": "ShareNET", "SP": "BitSpirit", "SS": "SwarmScope", "ST": "SymTorrent", "SZ": "Shareaza", "TB": "Torch",
	"TE": "terasaur", "TL": "Tribler", "TN": "Torrent.NET", "TR": "Transmission", "TS": "Torrentstorm", "TT": "TuoTu",
	"TX": "Tixati", "UE": "µTorrent Embedded", "UL": "uLeecher!", "UM": "µTorrent for Mac", "UT": "µTorrent", "UW": "µTorrent Web",
	"VG": "Vagaa", "WD": "WebTorrent Desktop", "WT": "BitLet", "WW": "WebTorrent", "WY": "FireTorrent", "XF": "Xfplay",
	"XL": "Xunlei", "XS": "XSwifter", "XT": "XanTorrent", "XX": "Xtorrent", "ZT": "ZipTorrent", "lt": "libTorrent (rTorrent)",
	"qB": "qBittorrent", "st": "sharktorrent",
}
