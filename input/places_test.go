package input_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/maxmind/mmdbwriter"
	"github.com/maxmind/mmdbwriter/mmdbtype"

	"btda/events"
	"btda/input"
)

var built = time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)

// networks is what a geolocation file says: a record for each network.
type networks map[string]mmdbtype.Map

// mmdb makes a real geolocation file.
func mmdb(t testing.TB, o mmdbwriter.Options, records networks) []byte {
	t.Helper()
	o.BuildEpoch, o.IncludeReservedNetworks = built.Unix(), true
	tree, err := mmdbwriter.New(o)
	if err != nil {
		t.Fatal(err)
	}
	for network, record := range records {
		_, parsed, err := net.ParseCIDR(network)
		if err != nil {
			t.Fatal(err)
		}
		if err := tree.Insert(parsed, record); err != nil {
			t.Fatal(err)
		}
	}
	var file bytes.Buffer
	if _, err := tree.WriteTo(&file); err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
}

func cityRecord(city mmdbtype.String, latitude, longitude mmdbtype.Float64) mmdbtype.Map {
	return mmdbtype.Map{
		"continent": mmdbtype.Map{"code": mmdbtype.String("EU")},
		"country":   mmdbtype.Map{"iso_code": mmdbtype.String("DE")},
		"city":      mmdbtype.Map{"names": mmdbtype.Map{"en": city, "de": mmdbtype.String("x")}},
		"location":  mmdbtype.Map{"latitude": latitude, "longitude": longitude},
	}
}

func asnRecord(number mmdbtype.Uint32, name mmdbtype.String) mmdbtype.Map {
	return mmdbtype.Map{"autonomous_system_number": number, "autonomous_system_organization": name}
}

func cityFile(t testing.TB) []byte {
	return mmdb(t, mmdbwriter.Options{DatabaseType: "GeoLite2-City"}, networks{
		"127.0.0.0/8": cityRecord("Berlin", 52.5, 13.4),
		"::1/128":     cityRecord("Potsdam", 52.4, 13.1),
	})
}

func asnFile(t testing.TB) []byte {
	return mmdb(t, mmdbwriter.Options{DatabaseType: "GeoLite2-ASN"}, networks{"127.0.0.0/16": asnRecord(64500, "Example Net")})
}

func inFolder(t testing.TB, files map[string][]byte) string {
	t.Helper()
	dir := t.TempDir()
	for name, data := range files {
		path := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, data, 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestFindPlaces(t *testing.T) {
	city, asn := cityFile(t), asnFile(t)
	dir := inFolder(t, map[string][]byte{"GeoLite2-City.mmdb": city, "sub/asn.mmdb": asn, "testdata/other.mmdb": city})
	places, err := input.FindPlaces(dir)
	if err != nil {
		t.Fatal(err)
	}
	berlin := events.Place{Continent: "EU", Country: "DE", City: "Berlin", HasPosition: true, Latitude: 52.5, Longitude: 13.4}
	withASN := berlin
	withASN.ASN, withASN.ASOrg = events.Some(64500), "Example Net"
	for address, want := range map[string]events.Place{
		"127.0.0.1":        withASN,
		"127.1.0.1":        berlin,
		"::ffff:127.1.0.1": berlin,
		"::1":              {Continent: "EU", Country: "DE", City: "Potsdam", HasPosition: true, Latitude: 52.4, Longitude: 13.1},
		"192.0.2.1":        {},
		"2001:db8::1":      {},
	} {
		got, ok := places.Find(netip.MustParseAddr(address))
		if got != want || ok != (want != events.Place{}) {
			t.Errorf("Find(%s) = %+v, %v, want %+v", address, got, ok, want)
		}
	}
	if _, ok := places.Find(netip.Addr{}); ok {
		t.Error("the place of no address was found")
	}
	want := []input.PlaceFile{{Type: "GeoLite2-City", Built: built, SHA256: sha256.Sum256(city)}, {Type: "GeoLite2-ASN", Built: built, SHA256: sha256.Sum256(asn)}}
	if got := places.Files(); !reflect.DeepEqual(got, want) || places.Err() != nil {
		t.Errorf("files %+v, %v, want %+v", got, places.Err(), want)
	}
}

func TestOtherMakersOfPlaces(t *testing.T) {
	for databaseType, want := range map[string]events.Place{
		"DBIP-City-Lite":                        {Continent: "EU", Country: "DE", City: "Berlin", HasPosition: true, Latitude: 52.5, Longitude: 13.4},
		"DBIP-ASN-Lite (compat=GeoLite2-ASN)":   {ASN: events.Some(64500), ASOrg: "Example Net"},
		"DBIP-Location-ISP (compat=Enterprise)": {Continent: "EU", Country: "DE", City: "Berlin", HasPosition: true, Latitude: 52.5, Longitude: 13.4},
	} {
		record := cityRecord("Berlin", 52.5, 13.4)
		for key, value := range asnRecord(64500, "Example Net") {
			record[key] = value
		}
		dir := inFolder(t, map[string][]byte{"a.mmdb": mmdb(t, mmdbwriter.Options{DatabaseType: databaseType}, networks{"127.0.0.0/8": record})})
		places, err := input.OpenPlaces(filepath.Join(dir, "a.mmdb"))
		if err != nil {
			t.Errorf("%s: %v", databaseType, err)
			continue
		}
		if got, _ := places.Find(netip.MustParseAddr("127.0.0.1")); got != want {
			t.Errorf("%s: %+v, want %+v", databaseType, got, want)
		}
	}
}

func TestFileThatKnowsIPv4Only(t *testing.T) {
	file := mmdb(t, mmdbwriter.Options{DatabaseType: "GeoLite2-City", IPVersion: 4}, networks{"127.0.0.0/8": cityRecord("Berlin", 52.5, 13.4)})
	places, err := input.FindPlaces(inFolder(t, map[string][]byte{"a.mmdb": file}))
	if err != nil {
		t.Fatal(err)
	}
	if place, ok := places.Find(netip.MustParseAddr("127.0.0.1")); !ok || place.City != "Berlin" {
		t.Errorf("place %+v, want Berlin", place)
	}
	if _, ok := places.Find(netip.IPv6Loopback()); ok || places.Err() != nil {
		t.Errorf("an IPv6 address was found, or it is an error: %v", places.Err())
	}
}

func TestPlaceThatIsNone(t *testing.T) {
	file := mmdb(t, mmdbwriter.Options{DatabaseType: "GeoLite2-City"}, networks{
		"127.0.0.0/16": cityRecord("a\x1b[0m", 91, 13), "127.1.0.0/16": cityRecord("b", 52, -181), "127.2.0.0/16": {},
	})
	places, err := input.FindPlaces(inFolder(t, map[string][]byte{"a.mmdb": file}))
	if err != nil {
		t.Fatal(err)
	}
	for address, city := range map[string]string{"127.0.0.1": "a\uFFFD[0m", "127.1.0.1": "b", "127.2.0.1": ""} {
		if place, ok := places.Find(netip.MustParseAddr(address)); place.HasPosition || place.City != city || ok != (city != "") {
			t.Errorf("%s is at %+v, %v", address, place, ok)
		}
	}
}

func TestPlacesThatAreRefused(t *testing.T) {
	city := cityFile(t)
	for name, c := range map[string]struct {
		files map[string][]byte
		want  string
	}{
		"empty":               {map[string][]byte{"a.mmdb": nil}, "a.mmdb"},
		"no such file":        {map[string][]byte{"a.mmdb": []byte("<html>not found</html>")}, "a.mmdb: no geolocation file"},
		"cut off at the end":  {map[string][]byte{"a.mmdb": city[:len(city)-40]}, "a.mmdb: no geolocation file"},
		"cut off at the head": {map[string][]byte{"a.mmdb": city[len(city)/2:]}, "a.mmdb: no geolocation file"},
		"another type":        {map[string][]byte{"a.mmdb": mmdb(t, mmdbwriter.Options{DatabaseType: "GeoIP2-Domain"}, nil)}, `"GeoIP2-Domain" has neither`},
		"unknown type":        {map[string][]byte{"a.mmdb": mmdb(t, mmdbwriter.Options{DatabaseType: "Cats"}, nil)}, `"Cats"`},
		"two of a sort":       {map[string][]byte{"a.mmdb": city, "b.mmdb": city}, "keep or name one"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := input.FindPlaces(inFolder(t, c.files)); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want one with %q", err, c.want)
			}
		})
	}
}

func TestNoPlaces(t *testing.T) {
	places, err := input.FindPlaces(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := places.Find(netip.MustParseAddr("127.0.0.1")); ok || len(places.Files()) > 0 || places.Err() != nil {
		t.Error("a place without a file")
	}
	if _, err := input.FindPlaces(filepath.Join(t.TempDir(), "missing")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error %v, want that the folder does not exist", err)
	}
	if _, err := input.OpenPlaces("missing.mmdb"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error %v, want that the file does not exist", err)
	}
}

// A byte changed anywhere gives an error or another place, and never a panic.
func TestDamagedPlaces(t *testing.T) {
	whole, damaged := cityFile(t), 0
	path := filepath.Join(inFolder(t, nil), "a.mmdb")
	for at := range whole {
		data := bytes.Clone(whole)
		data[at] ^= 0xff
		writeFile(t, path, data)
		places, err := input.OpenPlaces(path)
		if err != nil {
			damaged++
			continue
		}
		places.Find(netip.MustParseAddr("127.0.0.1"))
		places.Find(netip.IPv6Loopback())
		if err := places.Err(); err != nil {
			if damaged++; !strings.Contains(err.Error(), path) {
				t.Errorf("error %v, want one that names the file", err)
			}
		}
	}
	if damaged == 0 {
		t.Errorf("none of %d changed bytes gave an error", len(whole))
	}
}

// A geolocation file is never the cause of a panic, and what it says is fit for a table.
func FuzzPlaces(f *testing.F) {
	f.Add(cityFile(f))
	f.Add(asnFile(f))
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, data []byte) {
		path := filepath.Join(dir, "a.mmdb")
		writeFile(t, path, data)
		places, err := input.OpenPlaces(path)
		if err != nil {
			return
		}
		for _, address := range []string{"127.0.0.1", "::1", "255.255.255.255"} {
			place, _ := places.Find(netip.MustParseAddr(address))
			if place.HasPosition && !(place.Latitude >= -90 && place.Latitude <= 90 && place.Longitude >= -180 && place.Longitude <= 180) {
				t.Errorf("position %v %v", place.Latitude, place.Longitude)
			}
			if len(place.City) > 2000 || len(place.ASOrg) > 2000 {
				t.Error("a name without bound")
			}
		}
	})
}

func BenchmarkPlaces(b *testing.B) {
	places, err := input.FindPlaces(inFolder(b, map[string][]byte{"city.mmdb": cityFile(b), "asn.mmdb": asnFile(b)}))
	if err != nil {
		b.Fatal(err)
	}
	address := netip.MustParseAddr("127.0.0.1")
	for b.Loop() {
		places.Find(address)
	}
}
