package projections

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"btda/events"
	"btda/events/pieces"
)

// Identity is the policy that tells which sessions are with one peer.
type Identity string

// The policies.
const (
	// IdentityEndpoint is an IP address and listening port. That of an incoming peer comes from its extension handshake; without it
	// the peer is the endpoint with the same IP address and peer id that was seen with that peer id first, before or
	// after, else it is its IP address and peer id.
	IdentityEndpoint Identity = "endpoint"
	IdentityIP       Identity = "ip"      // an IP address
	IdentityPeerID   Identity = "peer-id" // a peer id
	// Identity2015 is the rule of the 2015 tool: outgoing by IP address and port, incoming by IP address, and incoming
	// ones dropped once that address was contacted outgoing.
	Identity2015 Identity = "2015"
)

// Identities lists the policies, the default first.
func Identities() []Identity {
	return []Identity{IdentityEndpoint, IdentityIP, IdentityPeerID, Identity2015}
}

// ParseIdentity finds a policy by its name.
func ParseIdentity(name string) (Identity, error) {
	for _, i := range Identities() {
		if string(i) == name {
			return i, nil
		}
	}
	return "", fmt.Errorf("identity %q is not known: want one of %s", name, identityNames())
}

func identityNames() string {
	var names []string
	for _, i := range Identities() {
		names = append(names, string(i))
	}
	return strings.Join(names, ", ")
}

// PlaceFinder tells where an address is. It must give the same answer to the same question.
type PlaceFinder interface {
	Find(netip.Addr) (events.Place, bool)
}

// DefaultSettle is the default of Options.Settle.
const DefaultSettle = 2 * time.Second

// Options says how records are to be understood.
type Options struct {
	// Threshold is the share of all pieces from which a peer counts as complete; nil is that of the recorder, which all
	// runs must agree on.
	Threshold *pieces.Fraction
	// Sweep are the thresholds, in any order, for which threshold_sweep tells what would be counted, beside Threshold, which is always
	// among them. DefaultOptions has DefaultSweep. Each takes 24 bytes for each peer.
	Sweep    []pieces.Fraction
	Identity Identity // empty is IdentityEndpoint
	// Settle is how long after the first availability message of a session all still belongs to it. DefaultOptions has
	// DefaultSettle; 0 is no time at all.
	Settle        time.Duration
	Revisit       time.Duration // time between two samples of a session; 0 is the revisit delay of the recorder
	WithAddresses bool          // fill the columns that hold addresses and peer ids
	// MixedPseudonyms allows runs whose pseudonyms were made with different keys, or that have real addresses beside pseudonyms. One peer
	// then counts once for each key.
	MixedPseudonyms bool
	Places          PlaceFinder // nil leaves places NULL, but for those in the log
}

// DefaultOptions returns the default of every option.
func DefaultOptions() Options {
	return Options{Sweep: DefaultSweep(), Identity: IdentityEndpoint, Settle: DefaultSettle}
}

// DefaultSweep returns the default of Options.Sweep: from half of the pieces to all.
func DefaultSweep() []pieces.Fraction {
	var sweep []pieces.Fraction
	for _, text := range []string{"0.5", "0.8", "0.9", "0.95", "0.98", "0.99", "1"} {
		sweep = append(sweep, pieces.MustFraction(text))
	}
	return sweep
}

// Thresholds lists the thresholds of the sweep that the options name, ascending and each once.
func (o *Options) Thresholds() []pieces.Fraction {
	all := slices.Clone(o.Sweep)
	if o.Threshold != nil {
		all = append(all, *o.Threshold)
	}
	slices.SortFunc(all, pieces.Fraction.Compare)
	return slices.CompactFunc(all, func(a, b pieces.Fraction) bool { return a.Compare(b) == 0 })
}

func (o *Options) validate() error {
	if o.Identity == "" {
		o.Identity = IdentityEndpoint
	}
	if o.Settle < 0 || o.Revisit < 0 {
		return fmt.Errorf("settle %v, revisit %v: want no negative duration", o.Settle, o.Revisit)
	}
	_, err := ParseIdentity(string(o.Identity))
	return err
}
