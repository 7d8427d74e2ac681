package member

import _ "github.com/rendered/rendered/internal/long" // its flag
