package swap

import "io/fs"

// maxOld bounds what Replaced reads of one file, in bytes.
const maxOld = 1 << 20

// Replaced gives each file whose content is to be replaced, what it holds now, and its permission
// bits. What is larger than 1 MiB, or cannot be read, is left out.
func (s *Swap) Replaced(tell func(t Target, old []byte, mode fs.FileMode)) {
	for _, f := range s.files {
		if f.state != Differs {
			continue
		}
		found, err := f.dir.Stat(f.name)
		if err != nil {
			continue
		}
		if old, err := f.dir.Read(f.name, maxOld); err == nil {
			tell(f.Target, old, found.Mode)
		}
	}
}
