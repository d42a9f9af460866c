package recorder

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"time"

	"btda/events/pieces"
	"btda/input"
	"btda/recorder/dht"
	"btda/recorder/session"
)

// Bounds of settings. They keep mistakes out, such as a missing unit; none is a recommendation.
const (
	maxSessions = 1 << 20
	maxDialRate = 100_000   // and accept rate
	maxTimeout  = time.Hour // shutdown may take as long
	// maxMaxMetadata leaves room for what a .torrent file has beside the metadata.
	maxMaxMetadata ByteSize = input.MaxTorrentSize - 1<<20
)

var encryptions = []session.Encryption{session.EncryptionAllow, session.EncryptionPrefer, session.EncryptionRequire, session.EncryptionOff}

// autoMessages is the value of MaxMessages that follows the piece count.
const autoMessages = "auto"

// SettingError says what is wrong with a setting. It is a mistake of who set it: wrong usage, no failure.
type SettingError struct {
	Setting string // its name, such as port
	Value   string
	Problem string // such as "want 1 to 65535"
	Origin  string // how it was set; empty stands for a flag
}

// Error names the setting by its origin, its value, and what is wanted.
func (e *SettingError) Error() string {
	origin := e.Origin
	if origin == "" {
		origin = "--" + e.Setting
	}
	if e.Value == "" {
		return fmt.Sprintf("%s: %s", origin, e.Problem)
	}
	return fmt.Sprintf("%s %s: %s", origin, e.Value, e.Problem)
}

// Validate says whether the settings make sense, each for itself and together. The error joins all that is wrong, each part a *SettingError.
func (s *Settings) Validate() error {
	var c check
	s.checkPlaces(&c)
	s.checkObserve(&c)
	s.checkBind(&c)
	s.checkTimes(&c)
	s.checkCalibrate(&c)
	c.within("port", int(s.Port), 1<<16-1)
	c.within("sessions", s.Sessions, maxSessions)
	c.within("incoming-sessions", s.IncomingSessions, maxSessions)
	c.within("dial-rate", s.DialRate, maxDialRate)
	c.within("accept-rate", s.AcceptRate, maxDialRate)
	c.within("network-dial-rate", s.NetworkDialRate, maxDialRate)
	if !slices.Contains(encryptions, s.Encryption) {
		c.add("encryption", string(s.Encryption), "want allow, prefer, require or off")
	}
	if s.MaxMetadata < 1<<10 || s.MaxMetadata > maxMaxMetadata {
		c.add("max-metadata", s.MaxMetadata, fmt.Sprintf("want 1K to %v", maxMaxMetadata))
	}
	s.checkDHT(&c)
	if s.Threshold.Compare(pieces.Fraction{}) <= 0 {
		c.add("threshold", s.Threshold, "want more than 0, up to 1: every peer would count as complete")
	}
	return errors.Join(c...)
}

// check collects what is wrong.
type check []error

func (c *check) add(setting string, value any, problem string) {
	*c = append(*c, &SettingError{Setting: setting, Value: fmt.Sprint(value), Problem: problem})
}

// within checks that a number is from 1 to most.
func (c *check) within(setting string, value, most int) {
	if value < 1 || value > most {
		c.add(setting, value, fmt.Sprintf("want 1 to %d", most))
	}
}

func (s *Settings) checkPlaces(c *check) {
	if s.Input == "" {
		c.add("input", "", "want a folder; leave it out for the default")
	}
	if s.Output == "" {
		c.add("output", "", "want a folder; leave it out for the default")
	}
	if s.Events != "" && s.Output != DefaultSettings().Output {
		c.add("events", s.Events, "says where the event log goes, and so does --output: use one of them")
	}
	if s.Events != "" && s.Events == s.LogFile {
		c.add("log-file", s.LogFile, "is the place of the event log already")
	}
}

func (s *Settings) checkObserve(c *check) {
	if s.Observe != Stay && s.Observe != Visit {
		c.add("observe", string(s.Observe), "want stay or visit")
	}
	if s.MaxMessages == autoMessages {
		return
	}
	if _, err := strconv.ParseUint(s.MaxMessages, 10, 32); err != nil {
		c.add("max-messages", s.MaxMessages, "want auto or a number of messages, with 0 for no limit")
	} else if s.Observe == Stay {
		c.add("max-messages", s.MaxMessages, "ends visits, and with --observe stay there are none: add --observe visit or leave it out")
	}
}

func (s *Settings) checkCalibrate(c *check) {
	if s.Calibrate && s.Timeout != calibrateTimeout {
		c.add("timeout", s.Timeout, fmt.Sprintf("is not the %v of --calibrate: leave one of them out", calibrateTimeout))
	}
	if s.Calibrate && s.Observe == Stay {
		c.add("observe", string(s.Observe), "waits as long as the peer likes, and --calibrate measures what timeouts would cut: leave one of them out")
	}
}

func (s *Settings) checkDHT(c *check) {
	c.within("dht-port", int(s.DHTPort), 1<<16-1)
	c.positive("dht-interval", s.DHTInterval)
	if s.DHTRate < 0 || s.DHTRate > maxDialRate {
		c.add("dht-rate", s.DHTRate, fmt.Sprintf("want 1 to %d, or 0 for no limit", maxDialRate))
	}
	for _, hostPort := range s.DHTBootstrap {
		if _, _, err := dht.SplitHostPort(hostPort); err != nil {
			c.add("dht-bootstrap", hostPort, "want HOST:PORT, such as router.example:6881")
		}
	}
}

func (s *Settings) checkBind(c *check) {
	var families [2]netip.Addr
	for _, a := range s.Bind {
		family := &families[0]
		if a.Is6() {
			family = &families[1]
		}
		switch {
		case !a.IsValid(), a.IsUnspecified(), a.IsMulticast(), a.Is4In6():
			c.add("bind", a, "want an address of this host, such as 192.0.2.7 or 2001:db8::7")
		case family.IsValid():
			c.add("bind", a, fmt.Sprintf("is of the same family as %v: want at most one of each", *family))
		}
		*family = a
	}
}

func (s *Settings) checkTimes(c *check) {
	if s.Timeout <= 0 || s.Timeout > maxTimeout {
		c.add("timeout", s.Timeout, fmt.Sprintf("want more than 0, up to %v", maxTimeout))
	}
	if s.Duration < 0 {
		c.add("duration", s.Duration, "want more than 0, or 0 for no end")
	}
	c.positive("revisit", s.Revisit)
	c.positive("statistic-interval", s.StatisticInterval)
	c.positive("tracker-interval", s.TrackerInterval)
}

func (c *check) positive(setting string, interval time.Duration) {
	if interval <= 0 {
		c.add(setting, interval, "want more than 0")
	}
}
