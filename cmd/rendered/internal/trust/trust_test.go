package trust

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/rendered/rendered/watch/inputs"
)

// A file of root and its group that an access control list lets another write to looks like one
// that the group can write to, which is root.
func TestRootDistrustsAccessControlLists(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root has others to distrust")
	}
	path := filepath.Join(t.TempDir(), "rendered.yaml")
	if err := os.WriteFile(path, []byte("services: {}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o664); err != nil {
		t.Fatal(err)
	}
	if faults := Check([]inputs.Input{{Path: path}}); len(faults) > 0 {
		t.Fatal(faults)
	}
	list := []byte{2, 0, 0, 0} // linux/posix_acl_xattr.h
	for _, entry := range [][3]byte{{0x01, 6, 0xff}, {0x02, 6, 12}, {0x04, 4, 0xff}, {0x10, 6, 0xff}, {0x20, 4, 0xff}} {
		high := byte(0)
		if entry[2] == 0xff {
			high = 0xff // nobody in particular
		}
		list = append(list, entry[0], 0, entry[1], 0, entry[2], high, high, high)
	}
	if err := unix.Setxattr(path, "system.posix_acl_access", list, 0); err == unix.EOPNOTSUPP {
		t.Skip("no access control lists here")
	} else if err != nil {
		t.Fatal(err)
	}
	faults := Check([]inputs.Input{{Path: path}})
	if len(faults) != 1 || !strings.Contains(faults[0].Error(), "its access control list lets others write to it") {
		t.Errorf("%v", faults)
	}
}
