package sqlite

import (
	"slices"
	"strings"
	"sync"
	"unsafe"

	"modernc.org/libc"
	sqlite3 "modernc.org/sqlite/lib"

	"btda/projections"
)

// function gives a Go function in the form in which the library keeps C functions. It must be declared, not a closure.
func function[T any](f T) uintptr {
	return *(*uintptr)(unsafe.Pointer(&struct{ f T }{f}))
}

// reading are the actions of a statement that change no row, but for what the library notes about indexes.
var reading = []int32{sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_RECURSIVE, sqlite3.SQLITE_REINDEX, sqlite3.SQLITE_ANALYZE}

// making are those that make, change or remove what is not in the schema.
var making = []int32{
	sqlite3.SQLITE_CREATE_TABLE, sqlite3.SQLITE_CREATE_VIEW, sqlite3.SQLITE_CREATE_INDEX,
	sqlite3.SQLITE_CREATE_TEMP_TABLE, sqlite3.SQLITE_CREATE_TEMP_VIEW, sqlite3.SQLITE_CREATE_TEMP_INDEX,
	sqlite3.SQLITE_DROP_TABLE, sqlite3.SQLITE_DROP_VIEW, sqlite3.SQLITE_DROP_INDEX,
	sqlite3.SQLITE_DROP_TEMP_TABLE, sqlite3.SQLITE_DROP_TEMP_VIEW, sqlite3.SQLITE_DROP_TEMP_INDEX,
	sqlite3.SQLITE_INSERT, sqlite3.SQLITE_UPDATE, sqlite3.SQLITE_DELETE,
}

// chance are the functions whose value is not in the result.
var chance = []string{"random", "randomblob", "load_extension", "sqlite_source_id", "sqlite_version"}

// authorize is what SQLite asks before it prepares an action of a statement. Of an index it gives the table second, of everything
// else that is made or changed its name first.
func authorize(tls *libc.TLS, _ uintptr, action int32, first, second, _, _ uintptr) int32 {
	found, ok := confinements.Load(tls)
	if !ok {
		return sqlite3.SQLITE_DENY
	}
	b := found.(*confinement)
	name, other := textAt(first), textAt(second)
	switch {
	case slices.Contains(reading, action):
		return sqlite3.SQLITE_OK
	case action == sqlite3.SQLITE_FUNCTION:
		if slices.Contains(chance, strings.ToLower(other)) {
			return b.refuse("%s() does not give the same every time", other)
		}
		return sqlite3.SQLITE_OK
	case action == sqlite3.SQLITE_ALTER_TABLE:
		name = other
	case !slices.Contains(making, action):
		return b.refuse("it does more than make tables and views in the result: ATTACH, PRAGMA, transactions, triggers and virtual tables are not allowed")
	}
	if ours(name) {
		return b.refuse("it changes %s, which must stay as the logs gave it: make a table of your own", name)
	}
	return sqlite3.SQLITE_OK
}

func textAt(address uintptr) string {
	if address == 0 {
		return ""
	}
	return libc.GoString(address)
}

// ours reports whether a name is that of a table or an index of the schema.
func ours(name string) bool {
	return slices.Contains(schemaNames(), strings.ToLower(name))
}

var schemaNames = sync.OnceValue(func() (names []string) {
	words := strings.Fields(projections.Schema)
	for i := range words[:len(words)-2] {
		if words[i] == "CREATE" && (words[i+1] == "TABLE" || words[i+1] == "INDEX") {
			names = append(names, strings.ToLower(words[i+2]))
		}
	}
	return names
})

// timeless is the name of a file system of SQLite that is the usual one without a clock.
const timeless = "btda"

// registerTimeless makes that file system known.
var registerTimeless = sync.OnceValue(func() error {
	c := &connection{tls: libc.NewTLS()} // for as long as the process lives
	usual := sqlite3.Xsqlite3_vfs_find(c.tls, 0)
	name, err := libc.CString(timeless)
	if err != nil {
		return err
	}
	vfs, err := c.allocate(int(unsafe.Sizeof(sqlite3.Tsqlite3_vfs{})))
	if err != nil {
		return err
	}
	copied := (*sqlite3.Tsqlite3_vfs)(at(vfs))
	*copied = *(*sqlite3.Tsqlite3_vfs)(at(usual))
	copied.FpNext, copied.FzName, copied.FxCurrentTimeInt64 = 0, name, function(noTime)
	return c.check(sqlite3.Xsqlite3_vfs_register(c.tls, vfs, 0))
})

// noTime is asked for the present time.
func noTime(tls *libc.TLS, _, to uintptr) int32 {
	if b, ok := confinements.Load(tls); ok {
		b.(*confinement).refuse("it asks for the present time, which is not in the result")
	}
	*(*int64)(at(to)) = 0
	return sqlite3.SQLITE_ERROR
}
