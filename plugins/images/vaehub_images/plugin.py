"""The hooks: names only, so that listing the plugin imports nothing of it."""

from vaehub import hookimpl


@hookimpl
def vaehub_components() -> dict[str, str]:
    """Every part of this package, by kind and name."""
    return {
        "domain/mnist": "vaehub_images.mnist:MNIST",
        "domain/fashion_mnist": "vaehub_images.fashion:FashionMNIST",
        "domain/digits": "vaehub_images.digits:Digits",
        "domain/image_folder": "vaehub_images.folder:ImageFolder",
        **{
            f"judge/{domain}": "vaehub_images.judge:ImageJudge" for domain in ("mnist", "fashion_mnist", "digits", "image_folder")
        },
        "encoder/conv": "vaehub_images.conv:ConvEncoder",
        "decoder/conv": "vaehub_images.conv:ConvDecoder",
        "encoder/resnet": "vaehub_images.resnet:ResNetEncoder",
        "decoder/resnet": "vaehub_images.resnet:ResNetDecoder",
        "decoder/pixelcnn": "vaehub_images.pixelcnn:PixelCNN",
        "features/digit_cnn": "vaehub_images.features:DigitCNN",
        "features/random_conv": "vaehub_images.features:RandomConv",
    }


@hookimpl
def vaehub_commands() -> dict[str, str]:
    """`vaehub demo images`."""
    return {"demo images": "vaehub_images.demo:images"}
