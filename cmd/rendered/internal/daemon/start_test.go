package daemon

import (
	"testing"

	"github.com/rendered/rendered/internal/disk"
	"github.com/rendered/rendered/internal/fault"
)

// A start is tried again where nothing is wrong but what may pass.
func TestTemporary(t *testing.T) {
	hangs := &fault.Fault{What: disk.ErrSilent.Error(), Err: disk.ErrSilent}
	wrong := &fault.Fault{What: "unknown key"}
	for _, c := range []struct {
		list fault.List
		want bool
	}{
		{fault.List{hangs, hangs}, true},
		{fault.List{hangs, wrong}, false},
		{fault.List{wrong}, false},
		{fault.List{}, false},
	} {
		if got := temporary(c.list); got != c.want {
			t.Errorf("%v: %v", c.list, got)
		}
	}
}
