package migrate

import (
	"path/filepath"

	"github.com/rendered/rendered/internal/disk"
)

// maxConfig and maxTemplate are how many bytes a config and a template may have.
const maxConfig, maxTemplate = 1 << 20, 1 << 20

// readFile reads a file of another program's: one of root's is not led elsewhere by others.
func readFile(path string, limit int64) ([]byte, error) {
	whole, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	return disk.ReadInput(whole, limit)
}
