package session

import (
	"encoding/binary"
	"net/netip"
	"testing"

	"btda/events"
)

// However many peers are reached in another way than the first, a bounded number of them is remembered, the latest among them.
func TestWhatWorkedIsBounded(t *testing.T) {
	o := Observer{Encryption: EncryptionAllow}
	encrypted := way{transport: events.TCP, encrypted: true}
	var last netip.AddrPort
	for i := range uint32(2*maxWorked + 1) {
		last = netip.AddrPortFrom(netip.AddrFrom4([4]byte(binary.BigEndian.AppendUint32(nil, i))), 1)
		o.reached(last, encrypted)
	}
	if n := len(o.worked.ways); n != maxWorked {
		t.Errorf("%d peers are remembered, want %d", n, maxWorked)
	}
	if plan := o.planFor(last); plan[0] != encrypted || len(plan) != 2 {
		t.Errorf("the plan for the last of them is %v", plan)
	}
	o.reached(last, way{transport: events.TCP})
	if plan := o.planFor(last); plan[0].encrypted || len(o.worked.ways) != maxWorked-1 {
		t.Errorf("after the first way worked, the plan is %v, and %d are remembered", plan, len(o.worked.ways))
	}
}
