package recorder

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"time"

	"btda/events"
	"btda/events/pieces"
	"btda/recorder/dht"
	"btda/recorder/session"
)

// Observe is what a session does with a peer.
type Observe string

// The ways to observe.
const (
	Stay  Observe = "stay"  // keep the connection as long as the peer does
	Visit Observe = "visit" // listen until nothing came for the timeout, leave, and come back after the revisit delay
)

// Settings is every setting of a recording. The tags are the one place where a setting gets its name, unit and help; flags,
// environment, configuration file and RunStarted are made from them.
type Settings struct {
	Active  bool `setting:"active" short:"a" help:"contact the peers that are named; what is done when nothing is chosen"`
	Passive bool `setting:"passive" short:"p" help:"wait for peers to connect; combines with -a"`
	DHT     bool `setting:"dht" short:"d" help:"ask the DHT for peers and be a node of it; combines with -a and -p"`
	Debug   bool `setting:"debug" short:"g" help:"write more to the log file"`

	Input             string        `setting:"input" unit:"folder" help:"where to look for *.torrent files, walked recursively"`
	Output            string        `setting:"output" unit:"folder" help:"where the event log and the log file go"`
	Events            string        `setting:"events" unit:"folder" help:"exact place of the event log, instead of <output>/<time>_<host>.events"`
	LogFile           string        `setting:"log-file" unit:"file" help:"exact place of the text log, instead of beside the event log, its name ending in .log"`
	Continue          string        `setting:"continue" unit:"folder" help:"log of an earlier run, whose peers are known from the start: those that were complete are left alone"`
	Follow            string        `setting:"follow" unit:"file" help:"SQLite file in which the tables of btda replay are kept while recording"`
	Endpoint          string        `setting:"endpoint" unit:"socket" help:"Unix socket at which btda replay --follow of the same user may read the log while recording"`
	Observe           Observe       `setting:"observe" unit:"stay|visit" help:"stay connected as long as the peer does, or visit it again and again"`
	Bind              []netip.Addr  `setting:"bind" unit:"address" help:"local address to connect from and to listen on, at most one of each family (repeatable)"`
	Port              uint16        `setting:"port" unit:"port" help:"port to announce to trackers and, with --passive, to listen on"`
	Sessions          int           `setting:"sessions" unit:"sessions" help:"outgoing sessions at one time"`
	IncomingSessions  int           `setting:"incoming-sessions" unit:"sessions" help:"incoming sessions at one time; when all are taken, addresses with many give way to those with fewer"`
	DialRate          int           `setting:"dial-rate" unit:"a second" help:"connections begun a second, at the most"`
	NetworkDialRate   int           `setting:"network-dial-rate" unit:"a second" help:"connections begun a second to one network, a /24 of IPv4 or a /48 of IPv6, at the most; loopback is none"`
	AcceptRate        int           `setting:"accept-rate" unit:"a second" help:"incoming connections taken in a second, at the most; others wait"`
	Timeout           time.Duration `setting:"timeout" unit:"duration" help:"how long to wait for a peer: to connect, for its handshake and, in a visit, for its next message"`
	Calibrate         bool          `setting:"calibrate" help:"measure how long peers let us wait: visits with a timeout of 30s, so that replay can tell what a shorter one would have cut"`
	Revisit           time.Duration `setting:"revisit" unit:"duration" help:"delay until a peer is visited again"`
	MaxMessages       string        `setting:"max-messages" unit:"messages" help:"messages taken from one peer in a visit; auto is the piece count plus 256, 0 is no limit; needs --observe visit"`
	MaxMetadata       ByteSize      `setting:"max-metadata" unit:"bytes" help:"metadata of a magnet link that is taken from peers, at the most; K, M, G and T are powers of 1024"`
	Exclude           string        `setting:"exclude" unit:"file" help:"file of networks that are never contacted, one address or prefix a line"`
	Duration          time.Duration `setting:"duration" unit:"duration" help:"stop after this time; 0 is until interrupted"`
	MinFree           ByteSize      `setting:"min-free" unit:"bytes" help:"stop in order when less is free on the disk of the event log; K, M, G and T are powers of 1024; 0 is never"`
	StatisticInterval time.Duration `setting:"statistic-interval" unit:"duration" help:"time between two samples of the recorder's own state"`

	Encryption session.Encryption `setting:"encryption" unit:"allow|prefer|require|off" help:"encrypt connections (MSE): where a peer takes no plain one; before a plain one is tried; always; never"`
	NoUTP      bool               `setting:"no-utp" help:"make no connections by uTP, and take none in"`

	Threshold pieces.Fraction `setting:"threshold" unit:"of all pieces" help:"from this share on a peer counts as complete and is left alone"`

	TrackerInterval         time.Duration `setting:"tracker-interval" unit:"duration" help:"time between two announces, never shorter than the tracker's min interval"`
	FollowExchangedTrackers bool          `setting:"follow-exchanged-trackers" help:"announce to the trackers that peers name, too (BEP 28); they are recorded in any case"`
	LocalTrackers           bool          `setting:"local-trackers" help:"ask the DNS for trackers of the network that we are in (BEP 22), and announce to them"`

	DHTBootstrap  []string      `setting:"dht-bootstrap" unit:"host:port" help:"node with which to begin in the DHT (repeatable); without one, public nodes of other projects"`
	DHTPort       uint16        `setting:"dht-port" unit:"port" help:"UDP port of the DHT node"`
	DHTInterval   time.Duration `setting:"dht-interval" unit:"duration" help:"time between two lookups of a torrent in the DHT"`
	DHTRate       int           `setting:"dht-rate" unit:"queries a second" help:"queries to the DHT in a second over IPv4, and as many over IPv6, at the most, and of these 4 to one node; 0 is no limit"`
	DHTReadOnly   bool          `setting:"dht-read-only" help:"answer no query of the DHT, and say so; announces nothing to it either"`
	NoDHTAnnounce bool          `setting:"no-dht-announce" help:"do not announce our port in the DHT, as is done with --passive"`

	AnnounceDownloaded pieces.Fraction `setting:"announce-downloaded" unit:"of the size" help:"downloaded, as told to trackers"`
	AnnounceLeft       pieces.Fraction `setting:"announce-left" unit:"of the size" help:"left, as told to trackers"`
	AnnounceUploaded   pieces.Fraction `setting:"announce-uploaded" unit:"of the size" help:"uploaded, as told to trackers"`
}

// DefaultSettings returns the default of every setting. Nothing is chosen to be done; Resolve chooses.
func DefaultSettings() Settings {
	return Settings{
		Input: "input", Output: "output", Observe: Stay,
		Port: 6884, Sessions: 1024, IncomingSessions: 1024, DialRate: 100, NetworkDialRate: 10, AcceptRate: 1000, MinFree: 1 << 30, MaxMetadata: 32 << 20,
		Timeout: 6 * time.Second, Revisit: 5 * time.Minute, MaxMessages: "auto", StatisticInterval: 5 * time.Minute,
		Encryption:      session.EncryptionAllow,
		Threshold:       pieces.MustFraction("0.98"),
		TrackerInterval: 5 * time.Minute,
		DHTPort:         17000, DHTInterval: 5 * time.Minute, DHTRate: 50,
		AnnounceDownloaded: pieces.MustFraction("0.5"), AnnounceLeft: pieces.MustFraction("0.5"), AnnounceUploaded: pieces.MustFraction("0.2"),
	}
}

// calibrateTimeout is the timeout with which waits are measured.
const calibrateTimeout = 30 * time.Second

// Resolve fills in what depends on other settings: when nothing is chosen to be done, peers are contacted; the DHT has public nodes to
// begin with; to calibrate is to visit, with a timeout of its own. given are the names of settings that somebody chose, which stay as they are.
func (s *Settings) Resolve(given ...string) {
	s.Active = s.Active || !s.Passive
	if s.DHT && len(s.DHTBootstrap) == 0 {
		s.DHTBootstrap = dht.DefaultBootstrap()
	}
	if s.Calibrate && !slices.Contains(given, "timeout") {
		s.Timeout = calibrateTimeout
	}
	if s.Calibrate && !slices.Contains(given, "observe") {
		s.Observe = Visit
	}
}

// Locate fills in the places of the event log and the text log where they are not set, for a recording on a host.
func (s *Settings) Locate(start time.Time, host string) {
	if s.Events == "" {
		s.Events = vacant(filepath.Join(s.Output, start.Format("2006-01-02_15-04-05")+"_"+host), ".events")
	}
	if s.LogFile == "" {
		s.LogFile = strings.TrimSuffix(filepath.Clean(s.Events), ".events") + ".log"
	}
}

// vacant gives a path at which there is nothing: its beginning and end, or with a number between them, for recordings that begin within a second.
func vacant(beginning, end string) string {
	path := beginning + end
	for n := 2; ; n++ {
		if _, err := os.Lstat(path); err != nil {
			return path
		}
		path = fmt.Sprintf("%s_%d%s", beginning, n, end)
	}
}

// Field is one setting.
type Field struct {
	Name, Short, Unit, Help string
	Value                   any // pointer into the Settings
}

// Fields lists the settings in their order; the values point into s.
func (s *Settings) Fields() []Field {
	v := reflect.ValueOf(s).Elem()
	fields := make([]Field, v.NumField())
	for i := range fields {
		tag := v.Type().Field(i).Tag
		fields[i] = Field{Name: tag.Get("setting"), Short: tag.Get("short"), Unit: tag.Get("unit"), Help: tag.Get("help"), Value: v.Field(i).Addr().Interface()}
	}
	return fields
}

// Configuration gives every setting as RunStarted stores it, sorted by name.
func (s Settings) Configuration() []events.Setting {
	fields := s.Fields()
	configuration := make([]events.Setting, len(fields))
	for i, f := range fields {
		configuration[i] = events.Setting{Name: f.Name, Value: f.Text()}
	}
	slices.SortFunc(configuration, func(a, b events.Setting) int { return strings.Compare(a.Name, b.Name) })
	return configuration
}

// Text gives the value as RunStarted stores it: durations and fractions in their shortest form, lists with commas.
func (f Field) Text() string {
	switch list := f.Value.(type) {
	case *[]netip.Addr:
		texts := make([]string, len(*list))
		for i, a := range *list {
			texts[i] = a.String()
		}
		return strings.Join(texts, ",")
	case *[]string:
		return strings.Join(*list, ",")
	}
	return fmt.Sprint(reflect.ValueOf(f.Value).Elem().Interface())
}
