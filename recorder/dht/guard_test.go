package dht

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/anacrolix/dht/v2/krpc"
	"github.com/anacrolix/torrent/bencode"

	"btda/events"
)

const (
	testID   = "abcdefghij0123456789"
	testHash = "mnopqrstuvwxyz123456"
)

func address(text string) events.Address { return events.AddressOf(netip.MustParseAddrPort(text)) }

// answered makes a response with more in it, to a query that a guard let out.
func answered(g *guard, from events.Address, content string) string {
	t := string(g.tagged([]byte("x"), from))
	return fmt.Sprintf("d1:rd2:id20:%s%se1:t%d:%s1:y1:re", testID, content, len(t), t)
}

func TestGuardLetsIn(t *testing.T) {
	g := newGuard(judgeLoosely)
	from := address("127.0.0.9:6881")
	for name, c := range map[string]struct{ sent, got string }{
		"ping":               {"d1:ad2:id20:" + testID + "e1:q4:ping1:t2:aa1:y1:qe", "d1:ad2:id20:" + testID + "e1:q4:ping1:t2:aa1:y1:qe"},
		"keys in disorder":   {"d1:y1:q1:t2:aa1:q4:ping1:ad2:id20:" + testID + "ee", "d1:ad2:id20:" + testID + "e1:q4:ping1:t2:aa1:y1:qe"},
		"keys of no use":     {"d1:ad3:fool1:xe2:id20:" + testID + "e1:q4:ping1:t2:aa1:xi7e1:y1:qe", "d1:ad2:id20:" + testID + "e1:q4:ping1:t2:aa1:y1:qe"},
		"unknown method":     {"d1:ad2:id20:" + testID + "e1:q4:vote1:t2:aa1:y1:qe", "d1:ad2:id20:" + testID + "e1:q7:unknown1:t2:aa1:y1:qe"},
		"put":                {"d1:ad2:id20:" + testID + "1:v1000:" + strings.Repeat("x", 1000) + "e1:q3:put1:t2:aa1:y1:qe", "d1:ad2:id20:" + testID + "e1:q7:unknown1:t2:aa1:y1:qe"},
		"find_node":          {"d1:ad2:id20:" + testID + "6:target20:" + testHash + "4:want1:xe1:q9:find_node1:t1:a1:y1:qe", "d1:ad2:id20:" + testID + "9:info_hash20:" + testHash + "6:target20:" + testHash + "e1:q9:find_node1:t1:a1:y1:qe"},
		"read-only":          {"d1:ad2:id20:" + testID + "e1:q4:ping2:roi1e1:t2:aa1:y1:qe", "d1:ad2:id20:" + testID + "e1:q4:ping2:roi1e1:t2:aa1:y1:qe"},
		"port out of range":  {"d1:ad2:id20:" + testID + "9:info_hash20:" + testHash + "4:porti70000e5:token1:xe1:q13:announce_peer1:t2:aa1:y1:qe", "d1:ad2:id20:" + testID + "9:info_hash20:" + testHash + "5:token1:xe1:q13:announce_peer1:t2:aa1:y1:qe"},
		"answer":             {answered(g, from, "5:token2:to"), "d1:rd2:id20:" + testID + "5:token2:toe1:t1:x1:y1:re"},
		"values of no peer":  {answered(g, from, "6:valuesl0:1:x3:xyzi9ee"), "d1:rd2:id20:" + testID + "6:valuesl2:\x00\x002:\x00\x003:xyz2:\x00\x00ee1:t1:x1:y1:re"},
		"values of one text": {answered(g, from, "6:values4:spam"), "d1:rd2:id20:" + testID + "6:valuesl2:\x00\x00ee1:t1:x1:y1:re"},
		"nodes cut off":      {answered(g, from, "5:nodes30:"+testID+"\x7f\x00\x00\x01\x1a\xe1abcd"), "d1:rd2:id20:" + testID + "5:nodes26:" + testID + "\x7f\x00\x00\x01\x1a\xe1e1:t1:x1:y1:re"},
		"a node with port 0": {answered(g, from, "5:nodes26:"+testID+"\x7f\x00\x00\x01\x00\x00"), "d1:rd2:id20:" + testID + "e1:t1:x1:y1:re"},
		"a short filter":     {answered(g, from, "4:BFpe3:abc"), "d1:rd2:id20:" + testID + "e1:t1:x1:y1:re"},
		"a short address":    {"d2:ip1:x" + answered(g, from, "")[1:], "d1:rd2:id20:" + testID + "e1:t1:x1:y1:re"},
	} {
		t.Run(name, func(t *testing.T) {
			m, err := g.admit([]byte(c.sent), from)
			if err != nil {
				t.Fatal(err)
			}
			if got := string(m.append(nil)); got != c.got {
				t.Errorf("%q became\n%q, want\n%q", c.sent, got, c.got)
			}
			var read krpc.Msg
			if err := bencode.Unmarshal(m.append(nil), &read); err != nil {
				t.Errorf("the library: %v", err)
			}
		})
	}
}

func TestGuardKeepsOut(t *testing.T) {
	g := newGuard(judgeLoosely)
	from := address("127.0.0.9:6881")
	for name, c := range map[string]struct {
		sent string
		want error
	}{
		"nothing":                    {"", errMalformed},
		"no bencode":                 {"GET / HTTP/1.1", errMalformed},
		"a list":                     {"le", errMalformed},
		"a query without a":          {"d1:q9:find_node1:t2:aa1:y1:qe", errMalformed},
		"a query with another a":     {"d1:ai1e1:q4:ping1:t2:aa1:y1:qe", errMalformed},
		"a query without a method":   {"d1:ad2:id20:" + testID + "e1:t2:aa1:y1:qe", errMalformed},
		"a short id":                 {"d1:ad2:id3:abce1:q4:ping1:t2:aa1:y1:qe", errMalformed},
		"no info hash":               {"d1:ad2:id20:" + testID + "e1:q9:get_peers1:t2:aa1:y1:qe", errMalformed},
		"no token":                   {"d1:ad2:id20:" + testID + "9:info_hash20:" + testHash + "e1:q13:announce_peer1:t2:aa1:y1:qe", errMalformed},
		"no transaction":             {"d1:ad2:id20:" + testID + "e1:q4:ping1:y1:qe", errMalformed},
		"a long transaction":         {"d1:ad2:id20:" + testID + "e1:q4:ping1:t65:" + strings.Repeat("t", 65) + "1:y1:qe", errMalformed},
		"another kind":               {"d1:t2:aa1:y1:ze", errMalformed},
		"a length bomb":              {"d1:t2147483647:aa", errMalformed},
		"depth":                      {"d1:t" + strings.Repeat("l", 2000) + strings.Repeat("e", 2000) + "e", errMalformed},
		"length":                     {"d1:x5000:" + strings.Repeat("x", 5000) + "e", errTooLong},
		"an answer without r":        {"d1:t5:aaaaa1:y1:re", errMalformed},
		"an answer to nothing":       {"d1:rd2:id20:" + testID + "e1:t6:aabbcc1:y1:re", errTransaction},
		"a short transaction":        {"d1:rd2:id20:" + testID + "e1:t1:a1:y1:re", errTransaction},
		"an error for nothing":       {"d1:eli201e5:helloe1:t6:aabbcc1:y1:ee", errTransaction},
		"the transaction of another": {answered(g, address("127.0.0.9:6882"), ""), errTransaction},
	} {
		t.Run(name, func(t *testing.T) {
			if m, err := g.admit([]byte(c.sent), from); !errors.Is(err, c.want) {
				t.Errorf("%q: %+v, %v, want %v", c.sent, m, err, c.want)
			}
		})
	}
}

func TestGuardAnswersNobodyThatIsForbidden(t *testing.T) {
	g := newGuard(judgeLoosely)
	ping := "d1:ad2:id20:" + testID + "e1:q4:ping1:t2:aa1:y1:qe"
	for _, from := range []events.Address{address("127.0.0.1:0"), address("0.0.0.0:5"), {}} {
		if _, err := g.admit([]byte(ping), from); !errors.Is(err, errSender) {
			t.Errorf("from %v: %v, want %v", from, err, errSender)
		}
	}
}

// A public node cannot make us contact what lies in our own network.
func TestGuardTakesOutNodesOfForeignScope(t *testing.T) {
	g := newGuard(judgeLoosely)
	nodes := "5:nodes52:" + testID + "\x7f\x00\x00\x01\x1a\xe1" + testID + "\x08\x08\x08\x08\x1a\xe1"
	for from, want := range map[string]int{"127.0.0.9:6881": 2, "5.5.5.5:6881": 1} {
		m, err := g.admit([]byte(answered(g, address(from), nodes)), address(from))
		if err != nil {
			t.Fatal(err)
		}
		if got := len(m.answer.nodes4) / nodeSize4; got != want {
			t.Errorf("from %s: %d nodes, want %d", from, got, want)
		}
	}
}

// What leaves comes back: the tag of a query is in the answer, and the library gets its own transaction id.
func TestGuardKnowsItsTransactions(t *testing.T) {
	g := newGuard(judgeLoosely)
	to := address("127.0.0.9:6881")
	out := g.release([]byte("d1:ad2:id20:"+testID+"e1:q4:ping1:t2:\x81\x011:y1:qe"), to)
	sent, err := parseMessage(out)
	if err != nil || len(sent.transaction) != 2+tagSize {
		t.Fatalf("%q, %v", out, err)
	}
	back := fmt.Sprintf("d1:rd2:id20:%se1:t%d:%s1:y1:re", testID, len(sent.transaction), sent.transaction)
	m, err := g.admit([]byte(back), to)
	if err != nil || string(m.transaction) != "\x81\x01" {
		t.Errorf("transaction %q, %v", m.transaction, err)
	}
	reply := "d2:ip6:\x7f\x00\x00\x09\x1a\xe11:rd2:id20:" + testID + "e1:t2:aa1:y1:re"
	if got := string(g.release([]byte(reply), to)); got != reply {
		t.Errorf("a reply became %q", got)
	}
}
