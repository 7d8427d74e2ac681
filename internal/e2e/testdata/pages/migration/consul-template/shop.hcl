vault {
  address = "https://vault.example.com:8200"
}
template {
  source      = "shop.ctmpl"
  destination = "/etc/shop/db.env"
  perms       = 0640
  command     = "systemctl restart shop"
}
