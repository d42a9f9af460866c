//go:build !linux

package recorder

import (
	"errors"
	"math"
)

// readResources knows nothing of this system.
func readResources() resources { return resources{load15: math.NaN()} }

func freeSpace(string) (uint64, error) { return 0, errors.ErrUnsupported }
