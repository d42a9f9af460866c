package input

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"math"
	"net/netip"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/oschwald/geoip2-golang/v2"

	"btda/events"
)

// MaxPlacesSize is how large a geolocation file may be, in bytes. It is held in memory. City files have 60 to 130 MB.
const MaxPlacesSize = 1 << 30

// PlaceFile says which geolocation file was used, so that places can be found again.
type PlaceFile struct {
	Type   string    // as the file names itself, such as GeoLite2-City
	Built  time.Time // UTC, in whole seconds
	SHA256 [sha256.Size]byte
}

// Places finds the place of an address in up to two files: one with cities (GeoLite2-City, DB-IP City Lite and their relatives) and one
// with autonomous systems (GeoLite2-ASN, DB-IP ASN Lite). The zero value knows no file and no place. It may be used concurrently.
type Places struct {
	city, asn *placeReader
	files     []PlaceFile

	mu  sync.Mutex
	err error
}

// placeReader is one open file.
type placeReader struct {
	*geoip2.Reader
	path   string
	only4  bool // it knows nothing about IPv6
	cities bool // else autonomous systems
}

// OpenPlaces reads geolocation files, at most one of each sort. Its errors name the file.
func OpenPlaces(paths ...string) (*Places, error) {
	p := new(Places)
	for _, path := range paths {
		if err := p.open(path); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// FindPlaces reads the *.mmdb files in a folder and those below it, as Find looks for torrents. Where there are none it knows no place.
func FindPlaces(dir string) (*Places, error) {
	var paths []string
	var broken []error
	err := walk(dir, visitor{
		wants:  func(name string) bool { return strings.EqualFold(filepath.Ext(name), ".mmdb") },
		file:   func(path string) { paths = append(paths, path) },
		broken: func(_ string, err error) { broken = append(broken, err) },
	})
	if err = errors.Join(append(broken, err)...); err != nil {
		return nil, err
	}
	return OpenPlaces(paths...)
}

func (p *Places) open(path string) error {
	data, err := ReadFile(path, MaxPlacesSize)
	if err != nil {
		return err
	}
	reader, err := openPlaceReader(data)
	if err != nil {
		return fmt.Errorf("%s: no geolocation file that can be used: %w", path, err)
	}
	reader.path = path
	role := &p.asn
	if reader.cities {
		role = &p.city
	}
	if *role != nil {
		return fmt.Errorf("%s and %s tell the same about an address: keep or name one of them", (*role).path, path)
	}
	*role = reader
	metadata := reader.Metadata()
	p.files = append(p.files, PlaceFile{Type: metadata.DatabaseType, Built: metadata.BuildTime().UTC(), SHA256: sha256.Sum256(data)})
	return nil
}

// openPlaceReader opens the content of a file and finds out what it tells.
func openPlaceReader(data []byte) (r *placeReader, err error) {
	defer recoverAs(&err)
	reader, err := geoip2.OpenBytes(data)
	if err != nil {
		return nil, err
	}
	metadata := reader.Metadata()
	if metadata.BuildEpoch > math.MaxInt32<<8 {
		return nil, fmt.Errorf("built %d seconds after 1970: no such time", metadata.BuildEpoch)
	}
	r = &placeReader{Reader: reader, only4: metadata.IPVersion == 4}
	if r.cities, err = answers(reader.City(netip.IPv4Unspecified())); r.cities || err != nil {
		return r, err
	}
	systems, err := answers(reader.ASN(netip.IPv4Unspecified()))
	if !systems && err == nil {
		err = fmt.Errorf("type %q has neither cities nor autonomous systems: want one such as GeoLite2-City, DBIP-City-Lite or GeoLite2-ASN", metadata.DatabaseType)
	}
	return r, err
}

// answers says whether a file answers a question of this sort at all.
func answers[T any](_ *T, err error) (bool, error) {
	var other geoip2.InvalidMethodError
	if errors.As(err, &other) {
		return false, nil
	}
	return err == nil, err
}

// recoverAs turns a panic of the library over a damaged file into an error.
func recoverAs(err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("damaged: %v", p)
	}
}

// Files lists the files that were read, in the order in which they were given.
func (p *Places) Files() []PlaceFile { return p.files }

// Err is the first error that made Find miss a place, and nil while there was none. It names the file.
func (p *Places) Err() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.err
}

// Find gives the place of an address; false where no file knows anything about it, or where a file is damaged: see Err.
func (p *Places) Find(address netip.Addr) (events.Place, bool) {
	address = address.Unmap().WithZone("")
	var place events.Place
	p.ask(p.city, address, func() error { return p.city.addCity(&place, address) })
	p.ask(p.asn, address, func() error { return p.asn.addSystem(&place, address) })
	return place, place != events.Place{}
}

// ask puts a question to a file, if there is one that can know the address, and keeps the error.
func (p *Places) ask(r *placeReader, address netip.Addr, question func() error) {
	if r == nil || !address.IsValid() || r.only4 && !address.Is4() {
		return
	}
	err := func() (err error) {
		defer recoverAs(&err)
		return question()
	}()
	if err == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.err == nil {
		p.err = fmt.Errorf("%s: find the place of an address: %w", r.path, err)
	}
}

func (r *placeReader) addCity(place *events.Place, address netip.Addr) error {
	found, err := r.City(address)
	if err != nil {
		return err
	}
	place.Continent = displayName(found.Continent.Code)
	place.Country = displayName(found.Country.ISOCode)
	place.City = displayName(found.City.Names.English)
	if at := found.Location; isDegrees(at.Latitude, 90) && isDegrees(at.Longitude, 180) {
		place.HasPosition, place.Latitude, place.Longitude = true, *at.Latitude, *at.Longitude
	}
	return nil
}

// isDegrees says whether a number is known and from -limit to limit.
func isDegrees(n *float64, limit float64) bool { return n != nil && *n >= -limit && *n <= limit }

func (r *placeReader) addSystem(place *events.Place, address netip.Addr) error {
	found, err := r.ASN(address)
	if err != nil {
		return err
	}
	place.ASOrg = displayName(found.AutonomousSystemOrganization)
	if found.AutonomousSystemNumber != 0 {
		place.ASN = events.Some(uint64(found.AutonomousSystemNumber))
	}
	return nil
}
