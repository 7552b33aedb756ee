data "aws_ec2_instance_type_offerings" "zones" {
  location_type = "availability-zone"

  filter {
    name   = "instance-type"
    values = [var.instance_type]
  }
}

data "aws_subnets" "default" {
  filter {
    name   = "default-for-az"
    values = ["true"]
  }

  filter {
    name   = "availability-zone"
    values = data.aws_ec2_instance_type_offerings.zones.locations
  }
}

data "aws_subnet" "chosen" {
  id = local.subnet_id
}

locals {
  subnet_id = var.subnet_id != null ? var.subnet_id : sort(data.aws_subnets.default.ids)[0]
}

resource "aws_security_group" "imagemill" {
  name_prefix = "${var.name}-"
  description = "Port 443 from chosen addresses, or nothing; out by HTTPS only"
  vpc_id      = data.aws_subnet.chosen.vpc_id

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_vpc_security_group_ingress_rule" "https" {
  for_each          = toset(var.https_from)
  security_group_id = aws_security_group.imagemill.id
  description       = "The service, by TLS"
  cidr_ipv4         = each.value
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}

# A name needs an address that stays when the instance is replaced.
resource "aws_eip" "imagemill" {
  count    = var.domain == "" ? 0 : 1
  instance = aws_instance.imagemill.id
}

# Registries of images and packages, S3, and Systems Manager, which carries the tunnel.
resource "aws_vpc_security_group_egress_rule" "https" {
  security_group_id = aws_security_group.imagemill.id
  description       = "Registries, S3 and Systems Manager"
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}
