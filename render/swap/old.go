package swap

// maxOld bounds what Replaced reads of one file, in bytes.
const maxOld = 1 << 20

// Replaced gives each file whose content is to be replaced, and what it holds now. What is larger
// than 1 MiB, or cannot be read, is left out.
func (s *Swap) Replaced(tell func(t Target, old []byte)) {
	for _, f := range s.files {
		if f.state != Differs {
			continue
		}
		if old, err := f.dir.Read(f.name, maxOld); err == nil {
			tell(f.Target, old)
		}
	}
}
