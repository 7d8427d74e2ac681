package trust

import _ "github.com/rendered/rendered/internal/long" // its flag
