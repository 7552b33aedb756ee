# One GPU instance with Imagemill, its disk and its bucket. docs/ec2.md says how to use it.

terraform {
  required_version = ">= 1.5"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 6.0"
    }
  }
}

provider "aws" {
  region = var.region

  default_tags {
    tags = { Name = var.name }
  }
}

data "aws_ssm_parameter" "ami" {
  name = var.ami_parameter
}

resource "aws_instance" "imagemill" {
  ami                         = nonsensitive(data.aws_ssm_parameter.ami.value)
  instance_type               = var.instance_type
  subnet_id                   = local.subnet_id
  associate_public_ip_address = true
  vpc_security_group_ids      = [aws_security_group.imagemill.id]
  iam_instance_profile        = aws_iam_instance_profile.imagemill.name
  user_data_replace_on_change = true

  user_data = templatefile("${path.module}/cloud-init.yaml", {
    volume_id  = aws_ebs_volume.data.id
    archive    = "s3://${aws_s3_object.project.bucket}/${aws_s3_object.project.key}"
    region     = var.region
    profile    = var.profile
    domain     = var.domain
    bucket_url = var.store == "bucket" ? "s3://${aws_s3_bucket.data.bucket}/store" : ""
    settings   = base64encode(join("", [for name, value in var.settings : "${name}=${value}\n"]))
  })

  root_block_device {
    volume_type = "gp3"
    volume_size = var.root_gb
    encrypted   = true
  }

  # The role's credentials are given to the host alone (1 hop), unless containers need them for the bucket (2 hops).
  metadata_options {
    http_endpoint               = "enabled"
    http_tokens                 = "required"
    http_put_response_hop_limit = var.store == "bucket" ? 2 : 1
  }

  dynamic "instance_market_options" {
    for_each = var.is_spot ? ["spot"] : []

    content {
      market_type = "spot"

      spot_options {
        spot_instance_type             = "persistent"
        instance_interruption_behavior = "stop"
      }
    }
  }
}

resource "aws_volume_attachment" "data" {
  device_name                    = "/dev/sdf"
  volume_id                      = aws_ebs_volume.data.id
  instance_id                    = aws_instance.imagemill.id
  stop_instance_before_detaching = true
}
