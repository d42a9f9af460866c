package recorder_test

import (
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"btda/events/pieces"
	"btda/recorder"
)

func TestDefaultSettingsAreValid(t *testing.T) {
	s := recorder.DefaultSettings()
	s.Resolve()
	if err := s.Validate(); err != nil || !s.Active {
		t.Errorf("the defaults: active %v, %v", s.Active, err)
	}
}

func TestSettingsThatAreValid(t *testing.T) {
	for name, change := range map[string]func(*recorder.Settings){
		"one address of each family": func(s *recorder.Settings) { s.Bind = addresses("127.0.0.2", "::1") },
		"no limit of messages":       func(s *recorder.Settings) { s.Observe, s.MaxMessages = recorder.Visit, "0" },
		"visits without a limit set": func(s *recorder.Settings) { s.Observe = recorder.Visit },
		"calibrating":                func(s *recorder.Settings) { s.Calibrate = true; s.Resolve() },
		"calibrating, said twice": func(s *recorder.Settings) {
			s.Calibrate, s.Timeout, s.Observe = true, 30*time.Second, recorder.Visit
			s.Resolve("timeout", "observe")
		},
		"every piece":  func(s *recorder.Settings) { s.Threshold = pieces.MustFraction("1") },
		"exact places": func(s *recorder.Settings) { s.Events, s.LogFile = "/tmp/a.events", "/tmp/a.log" },
		"bounds":       func(s *recorder.Settings) { s.Port, s.Sessions, s.DialRate, s.Timeout = 65535, 1, 1, time.Hour },
	} {
		t.Run(name, func(t *testing.T) {
			s := recorder.DefaultSettings()
			change(&s)
			if err := s.Validate(); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestSettingsThatAreNotValid(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*recorder.Settings)
		want   []string // settings that are named
	}{
		"no input":               {func(s *recorder.Settings) { s.Input = "" }, []string{"input"}},
		"no output":              {func(s *recorder.Settings) { s.Output = "" }, []string{"output"}},
		"two places":             {func(s *recorder.Settings) { s.Events, s.Output = "a", "b" }, []string{"events"}},
		"one place for two":      {func(s *recorder.Settings) { s.Events, s.LogFile = "a", "a" }, []string{"log-file"}},
		"unknown way to observe": {func(s *recorder.Settings) { s.Observe = "watch" }, []string{"observe"}},
		"messages of no visit":   {func(s *recorder.Settings) { s.MaxMessages = "7" }, []string{"max-messages"}},
		"messages no number":     {func(s *recorder.Settings) { s.Observe, s.MaxMessages = recorder.Visit, "many" }, []string{"max-messages"}},
		"messages below 0":       {func(s *recorder.Settings) { s.Observe, s.MaxMessages = recorder.Visit, "-1" }, []string{"max-messages"}},
		"messages beyond 32 bit": {func(s *recorder.Settings) { s.Observe, s.MaxMessages = recorder.Visit, "4294967296" }, []string{"max-messages"}},
		"two IPv4 addresses":     {func(s *recorder.Settings) { s.Bind = addresses("127.0.0.2", "::1", "127.0.0.3") }, []string{"bind"}},
		"two IPv6 addresses":     {func(s *recorder.Settings) { s.Bind = addresses("::1", "fe80::1") }, []string{"bind"}},
		"any address":            {func(s *recorder.Settings) { s.Bind = addresses("0.0.0.0") }, []string{"bind"}},
		"many addresses in one":  {func(s *recorder.Settings) { s.Bind = addresses("ff02::1") }, []string{"bind"}},
		"IPv4 as IPv6":           {func(s *recorder.Settings) { s.Bind = addresses("::ffff:127.0.0.1") }, []string{"bind"}},
		"no address":             {func(s *recorder.Settings) { s.Bind = []netip.Addr{{}} }, []string{"bind"}},
		"port 0":                 {func(s *recorder.Settings) { s.Port = 0 }, []string{"port"}},
		"no session":             {func(s *recorder.Settings) { s.Sessions = 0 }, []string{"sessions"}},
		"sessions without bound": {func(s *recorder.Settings) { s.Sessions = 1<<20 + 1 }, []string{"sessions"}},
		"no dial":                {func(s *recorder.Settings) { s.DialRate = 0 }, []string{"dial-rate"}},
		"threshold 0":            {func(s *recorder.Settings) { s.Threshold = pieces.Fraction{} }, []string{"threshold"}},
		"no timeout":             {func(s *recorder.Settings) { s.Timeout = 0 }, []string{"timeout"}},
		"timeout of a day":       {func(s *recorder.Settings) { s.Timeout = 24 * time.Hour }, []string{"timeout"}},
		"duration below 0":       {func(s *recorder.Settings) { s.Duration = -1 }, []string{"duration"}},
		"intervals":              {func(s *recorder.Settings) { s.Revisit, s.StatisticInterval, s.TrackerInterval = 0, -1, 0 }, []string{"revisit", "statistic-interval", "tracker-interval"}},
		"no dial to a network":   {func(s *recorder.Settings) { s.NetworkDialRate = 0 }, []string{"network-dial-rate"}},
		"calibrating with a timeout": {func(s *recorder.Settings) {
			s.Calibrate, s.Timeout = true, 10*time.Second
			s.Resolve("timeout")
		}, []string{"timeout"}},
		"calibrating while staying": {func(s *recorder.Settings) {
			s.Calibrate = true
			s.Resolve("observe")
		}, []string{"observe"}},
		"the DHT": {func(s *recorder.Settings) {
			s.DHTPort, s.DHTInterval, s.DHTRate, s.DHTBootstrap = 0, 0, -1, []string{"router.example:6881", "router.example", ":6881", "router.example:0"}
		}, []string{"dht-port", "dht-interval", "dht-rate", "dht-bootstrap", "dht-bootstrap", "dht-bootstrap"}},
		"several": {func(s *recorder.Settings) { s.Port, s.Sessions = 0, -1 }, []string{"port", "sessions"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := recorder.DefaultSettings()
			c.change(&s)
			err := s.Validate()
			var setting *recorder.SettingError
			if !errors.As(err, &setting) {
				t.Fatalf("error %v, want a *SettingError", err)
			}
			var named []string
			for line := range strings.Lines(err.Error()) {
				named = append(named, strings.TrimRight(strings.Fields(line)[0], ":")[2:])
			}
			if !slices.Equal(named, c.want) {
				t.Errorf("error %q names %q, want %q", err, named, c.want)
			}
		})
	}
}

func TestCalibratingVisitsWithATimeoutOfItsOwn(t *testing.T) {
	s := recorder.DefaultSettings()
	s.Calibrate = true
	s.Resolve()
	if s.Timeout != 30*time.Second || s.Observe != recorder.Visit {
		t.Errorf("timeout %v, --observe %v, want 30s and visit", s.Timeout, s.Observe)
	}
}

func TestEverySettingHasNameUnitAndHelp(t *testing.T) {
	s := recorder.DefaultSettings()
	name, seen := regexp.MustCompile(`^[a-z]+(-[a-z]+)*$`), make(map[string]bool)
	for _, f := range s.Fields() {
		_, isFlag := f.Value.(*bool)
		if !name.MatchString(f.Name) || f.Help == "" || isFlag != (f.Unit == "") {
			t.Errorf("setting %q has unit %q and help %q", f.Name, f.Unit, f.Help)
		}
		for _, n := range []string{f.Name, f.Short} {
			if n != "" && seen[n] {
				t.Errorf("two settings are called %q", n)
			}
			seen[n] = true
		}
	}
}

func TestConfigurationIsSortedText(t *testing.T) {
	s := recorder.DefaultSettings()
	s.Bind = addresses("127.0.0.2", "::1")
	texts := make(map[string]string)
	var names []string
	for _, setting := range s.Configuration() {
		texts[setting.Name] = setting.Value
		names = append(names, setting.Name)
	}
	if !slices.IsSorted(names) || len(names) != len(s.Fields()) {
		t.Errorf("names %q", names)
	}
	for name, want := range map[string]string{"bind": "127.0.0.2,::1", "timeout": "6s", "threshold": "0.98", "port": "6884", "observe": "stay", "events": "", "active": "false"} {
		if texts[name] != want {
			t.Errorf("%s is %q, want %q", name, texts[name], want)
		}
	}
}

func addresses(texts ...string) (list []netip.Addr) {
	for _, text := range texts {
		list = append(list, netip.MustParseAddr(text))
	}
	return list
}

// Two recordings may begin within a second: the later one takes another name.
func TestLocateTakesNoNameTwice(t *testing.T) {
	output := t.TempDir()
	for _, want := range []string{"2026-01-31_12-00-00_host", "2026-01-31_12-00-00_host_2", "2026-01-31_12-00-00_host_3"} {
		s := recorder.DefaultSettings()
		s.Output = output
		s.Locate(time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC), "host")
		if s.Events != filepath.Join(output, want+".events") || s.LogFile != filepath.Join(output, want+".log") {
			t.Errorf("%s and %s, want %s", s.Events, s.LogFile, want)
		}
		if err := os.Mkdir(s.Events, 0o700); err != nil {
			t.Fatal(err)
		}
	}
}

func TestLocate(t *testing.T) {
	start := time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct{ events, logFile, wantEvents, wantLogFile string }{
		{"", "", "output/2026-01-31_12-00-00_host.events", "output/2026-01-31_12-00-00_host.log"},
		{"logs/a.events", "", "logs/a.events", "logs/a.log"},
		{"logs/a/", "", "logs/a/", "logs/a.log"},
		{"", "b.txt", "output/2026-01-31_12-00-00_host.events", "b.txt"},
	} {
		s := recorder.DefaultSettings()
		s.Events, s.LogFile = c.events, c.logFile
		s.Locate(start, "host")
		if s.Events != c.wantEvents || s.LogFile != c.wantLogFile {
			t.Errorf("--events %q --log-file %q: %q and %q, want %q and %q", c.events, c.logFile, s.Events, s.LogFile, c.wantEvents, c.wantLogFile)
		}
	}
}
