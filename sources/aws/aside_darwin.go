package aws

import "os"

// aside makes a file, readable by its owner alone, by whose name this process can open it again
// until it is dropped. It is on disk, as the one that it is a copy of: nothing here is in memory
// and has a name.
func aside(content []byte) (held *os.File, drop func(), err error) {
	f, err := os.CreateTemp("", "rendered-token-")
	if err != nil {
		return nil, nil, err
	}
	drop = func() {
		f.Close()
		os.Remove(f.Name())
	}
	if _, err := f.Write(content); err != nil {
		drop()
		return nil, nil, err
	}
	return f, drop, nil
}
