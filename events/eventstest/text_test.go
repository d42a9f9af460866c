package eventstest

import (
	"reflect"
	"strings"
	"testing"
)

// Each line is in the form that Format gives.
const everything = `0 RunStarted setting.threshold=0.98 setting.bind="" run=01000000000000000000000000000000 program="btda 1" host=h peer-id=-BT0001-abcdefghijkl addresses=[127.0.0.1:6884 [::1]:6884] pseudonym-key=0aff
0.000000001 TorrentAdded torrent=1 info-hash=aa00000000000000000000000000000000000000 path=a.torrent display-name="a b" trackers=[["http://t/a?x=[1]" udp://t:1] [c]] metadata-known=true metadata.name=n metadata.piece-count=8 metadata.private=true
1.5 SessionOpened session=1 torrent=1 direction=outgoing transport=tcp encryption=mse-rc4 address=127.0.0.1:6881 reserved=0000000000100005 peer-id=-TR3000-aaaaaaaaaaaa dial-duration=1.5s
2 BitfieldReceived session=1 bitfield=11110000
3 HaveReceived session=1 piece=4
3 BitfieldChanged session=1 base=4 toggled=[0 5]
3.25 ExtensionHandshakeReceived session=1 extensions=[ut_metadata=3 "odd name=1"] client="\xff b" port=0 your-ip=7f000001 malformed=true
4 TrackerAnnounced torrent=1 tracker=http://t/a event=started remote=1.2.3.4:80/private seeders=0 peers=[1.2.3.4:5 [2001:db8::1]:6]
4 PeersNamed source=magnet peers.v4=010203040005 peers.scopes=02
5 PlaceFound address=1.2.3.4:0 place.country=DE place.has-position=true place.latitude=-1.5 place.asn=7
5 MessagesSuppressed session=1 message=keep-alive count=3 since=2026-01-01T00:00:03.5Z
6 MessageSent session=1 message=message-77
7 SessionClosed session=1 by=peer reason=closed-by-peer
8 Unknown of=kind-99 version=2 payload=90
`

func TestFormatAndParseAreInverse(t *testing.T) {
	records, err := Parse(everything)
	if err != nil {
		t.Fatal(err)
	}
	if text := Format(records); text != everything {
		t.Errorf("got\n%s\nwant\n%s", text, everything)
	}
	for i, r := range records {
		if int(r.Seq) != i+1 || r.Run[0] != 1 {
			t.Errorf("record %d has seq %d and run %v", i, r.Seq, r.Run)
		}
	}
}

func TestParseTakesShortForms(t *testing.T) {
	short, err := Parse("# comment\n\n start 2026-01-01T00:00:10Z \n2 BitfieldReceived bitfield=1111 session=1\n0 TorrentAdded info-hash=aa\n" +
		"0 SessionClosed reason=\"closed by peer\"\n0 TrackerAnnounceFailed answer=\"d5:\"\n0 AddressRejected source=source-1 address=[::1]:5")
	if err != nil {
		t.Fatal(err)
	}
	long, err := Parse("12 BitfieldReceived session=1 bitfield=0xf0\n10 TorrentAdded info-hash=aa00\n10 SessionClosed reason=closed-by-peer\n" +
		"10 TrackerAnnounceFailed answer=64353a\n10 AddressRejected source=tracker address=[::1]:5")
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(short, long) {
		t.Errorf("got\n%s\nwant\n%s", Format(short), Format(long))
	}
}

func TestParseErrorsSayWhereAndWhatIsKnown(t *testing.T) {
	for text, want := range map[string][]string{
		"\nx HaveReceived":                            {"line 2", `time "x"`, "seconds"},
		"1 Have":                                      {`kind "Have"`, "HaveReceived"},
		"1 HaveReceived pice=1":                       {"HaveReceived", `no field "pice"`, "session, piece"},
		"1 HaveReceived piece=-1":                     {"piece", "from 0 to 4294967295"},
		"1 HaveReceived piece=1 piece=1":              {"piece is given twice"},
		"1 HaveReceived piece":                        {`"piece": want name=value`},
		"1 SessionClosed reason=bad":                  {"reason", "closed by peer"},
		"1 SessionOpened address=x":                   {"address", "ip:port"},
		"1 SessionOpened address=1.2.3.4:5/x":         {"scope", "loopback"},
		"1 SessionOpened peer-id=abc":                 {"peer-id", "hexadecimal"},
		"1 SessionOpened dial-duration=1":             {"dial-duration", "unit"},
		"1 PeersNamed peers=1.2.3.4:5":                {"peers", "brackets"},
		"1 PeersNamed peers=[1.2.3.4:5":               {"peers", "closing bracket"},
		"1 RunStarted host=\"a":                       {"host", "quoted"},
		"1 RunStarted host=[a]":                       {"host", "one value"},
		"1 BitfieldReceived bitfield=12":              {"bitfield", "bits"},
		"1 BitfieldChanged toggled=[2 1]":             {"toggled", "ascending"},
		"1 TorrentAdded magnet=yes":                   {"magnet", "true or false"},
		"1 TrackerAnnounceFailed answer=xy":           {"answer", "hexadecimal"},
		"1 ExtensionHandshakeReceived extensions=[a]": {"extensions", "name=number"},
		"start yesterday":                             {"RFC 3339"},
	} {
		_, err := Parse(text)
		if err == nil {
			t.Errorf("%q: no error", text)
			continue
		}
		for _, part := range want {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("%q: error %q does not say %q", text, err, part)
			}
		}
	}
}
