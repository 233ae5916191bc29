# SPDX-License-Identifier: LGPL-2.1-or-later
"""What fuzz targets of data sets start from: functions that return seeds and words."""
import json


def members(value):
    if isinstance(value, dict):
        for name, inner in value.items():
            yield name
            yield from members(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from members(inner)


def make_annotation(boxes, extra=""):
    objects = "".join(
        f"<object><name>{name}</name><difficult>{difficult}</difficult><bndbox><xmin>{box[0]}</xmin>"
        f"<ymin>{box[1]}</ymin><xmax>{box[2]}</xmax><ymax>{box[3]}</ymax></bndbox></object>"
        for name, difficult, box in boxes)
    return (f"<annotation><size><width>100</width><height>50</height><depth>3</depth></size>{extra}"
            f"{objects}</annotation>")


def voc_corpus():
    one = [("cat", 0, (1, 1, 100, 50))]
    two = [*one, ("dog &amp; cat", 1, (11.5, 20, 60, 1e1))]
    extra = "<!-- c --><part><name>head</name><bndbox><xmin>1</xmin></bndbox></part><![CDATA[x]]>"
    texts = [make_annotation([]), make_annotation(one), make_annotation(two),
             make_annotation(two, extra), '<?xml version="1.0"?>\n' + make_annotation(one)]
    seeds = [text.encode() for text in texts]
    seeds += [seed + b"\0" + names for seed in seeds for names in [b"a\n", b"a 1\nb -1\n", b"\n\n"]]
    words = {"annotation", "object", "bndbox", "<size>", "</size>", "<width>", "</width>",
             "<object>", "</object>", "<name>", "</name>", "<bndbox>", "</bndbox>", "<xmin>",
             "</xmin>", "<part>", "</part>", "difficult", "height", "nan", "inf", "-1", "1e308",
             "&#0;", "&amp;", "&lt;", "<![CDATA[", "]]>", "<!--", "-->", "<?", "?>"}
    return seeds, words


def coco_corpus():
    images = [{"id": 7, "file_name": "a.jpg", "width": 100, "height": 50, "license": 1},
              {"id": 9, "file_name": "b.jpg", "width": 64, "height": 64.5}]
    categories = [{"id": 1, "name": "cat", "supercategory": "animal"}, {"id": 90, "name": "guide dog"}]
    annotations = [
        {"id": 1, "image_id": 7, "category_id": 1, "bbox": [10, 5.5, 20, 30], "iscrowd": 0,
         "segmentation": [[1, 2, 3, 4.5]], "area": 600.0},
        {"image_id": 9, "category_id": 90, "bbox": [0, 0, 64, 64], "iscrowd": 1,
         "segmentation": {"counts": [3, 1e2], "size": [64, 64]}},
        {"image_id": 7, "category_id": 90, "bbox": [90, 40, 20, 20]},
        {"image_id": 7, "category_id": 1,
         "segmentation": {"counts": "0T^2T^2", "size": [50, 100]}},
        {"image_id": 7, "category_id": 1,
         "segmentation": {"counts": [505, 10, 4485], "size": [50, 100]}},
    ]
    files = [
        {"images": images, "annotations": annotations, "categories": categories},
        {"info": {"year": 2017, "url": None}, "categories": categories, "images": images,
         "annotations": annotations},
        {"images": images[:1], "annotations": [], "categories": categories},
        {"images": [], "annotations": annotations, "categories": []},
    ]
    seeds = [json.dumps(file, indent=indent).encode() for file in files for indent in [None, 1]]
    words = {f'"{name}"' for file in files for name in members(file)}
    words |= {'"a.jpg"', '"../a.jpg"', "NaN", "Infinity", "-Infinity", "1e999", "-0", "null", "true",
              "\\u0000", "\\ud800", "\\\"", "9007199254740993", "\ufeff"}
    return seeds, words


def csv_corpus():
    texts = ["file,class\na.jpg,cat\nb.jpg,dog\n", "file;label;split\r\na.jpg;cat|dog;train\r\n",
             "a.jpg,cat,dog\nb.jpg,none\n", "filename,cat,dog\na.jpg,1,0\nb.jpg,,-1\n",
             "file,width,height,class,xmin,ymin,xmax,ymax\na.jpg,10,10,\"a \"\"b\"\"\",1,1,5,5.5\n",
             "a.jpg,1,1,5,5,cat\n", "TRAIN,gs://x/a.jpg,cat,0.1,0.1,,,0.5,0.5,,\n",
             "id_code,cat,dog\na,1,-1\nb,-1,1\n", "name,label,is_valid\na.jpg,cat,True\n", "\ufefffile\ttags\tx\na\t\"['cat', 'dog']\"\t3\n"]
    words = {"file", "filename", "image_id", "class", "labels", "split", "xmin", "ymax", "width", "height",
             "a.jpg", "train/b.jpg", "../a.jpg", "train", "val", "none", "\"\"", "nan", "inf", "1e308", "-1", "is_valid",
             "UNASSIGNED", "https://x/a.jpg?w=1"}
    return [text.encode() for text in texts] + [texts[0].encode("utf-16")], words


def list_corpus():
    texts = ["a.jpg cat\ntrain/b.jpg big dog\r\n", "a.jpg 0\nb.jpg 1\n\n", "train/b\nc\n",
             "/x/y/a.jpg\t1\nC:\\x\\c.png 1 0\n", "../a.jpg x\n"]
    words = {"a.jpg", "train/b.jpg", "c.png", "../", "./", "\\", " 0", " 1", "none", "\t", "\r\n"}
    return [text.encode() for text in texts], words


def json_lines_corpus():
    lines = [{"file_name": "a.jpg", "label": "cat"}, {"image": "train/b.jpg", "labels": ["cat", 3], "split": "val"},
             {"file_name": "c.png", "width": 64, "height": 48.0,
              "objects": {"bbox": [[0, 0, 32, 24], [1, 1, 2.5, 3]], "categories": ["cat", 1]}},
             {"file_name": "a", "label": None, "text": {"x": [1]}}, {"file_name": "../a.jpg", "label": []}]
    texts = [json.dumps(line) for line in lines]
    seeds = [*texts, "\n".join(texts), "\r\n\r\n".join(texts[:3])]
    words = {f'"{name}"' for line in lines for name in line}
    words |= {'"bbox"', '"categories"', '"train"', "NaN", "1e999", "null", "true", "\\u0000", "{", "}", "[", "]"}
    return [seed.encode() for seed in seeds], words


def cvat_corpus():
    shapes = ('<box label="cat" xtl="0" ytl="0" xbr="5" ybr="5.5" outside="0" frame="1"/>'
              '<polygon label="dog" points="0,0;5,0;2,5"/><ellipse label="dog" cx="5" cy="5" rx="2" ry="1"/>'
              '<tag label="x"/><mask label="m" rle="1,5" left="1" top="2" width="2" height="3"/>')
    images = f'<image id="0" name="a.jpg" subset="Train" width="10" height="10">{shapes}</image>'
    tracks = (f'<meta><task><original_size><width>10</width><height>10</height></original_size></task></meta>'
              f'<track id="0" label="cat">{shapes}</track>')
    texts = [f"<annotations>{inside}</annotations>" for inside in ["", images, tracks, images + tracks]]
    texts += [f'<?xml version="1.0"?><!-- x --><annotations x="1">{images}</annotations>']
    words = {"<annotations>", "<image", "<track", "<box", "<polygon", "label=", "points=", "name=", "frame=",
             "outside=", "subset=", "xtl=", "nan", "inf", "1e308", "../a.jpg", "&#0;", "<![CDATA[", "]]>"}
    return [text.encode() for text in texts], words


def open_images_corpus():
    boxes = ("ImageID,Source,LabelName,Confidence,XMin,XMax,YMin,YMax,IsGroupOf\n"
             "a,x,/m/01,1,0,0.5,0,0.5,1\nb,x,/m/02,1,0.1,1,0,1,0\n")
    labels = "ImageID,Source,LabelName,Confidence\na,v,/m/01,1\na,v,/m/02,0\nb,v,/m/03,0.5\n"
    names = "/m/01,Cat\n/m/02,\"Guide, dog\"\n"
    seeds = ["\0".join(parts).encode() for parts in
             [[boxes, labels, names], [boxes, "", ""], ["", labels, "LabelName,DisplayName\n" + names]]]
    words = {"ImageID", "LabelName", "Confidence", "XMin", "YMax", "IsGroupOf", "/m/01", "nan", "1e999"}
    return seeds, words


def yolo_corpus():
    yamls = ["train: images\nval: ../valid/images\nnames: ['cat', \"dog\"]\n",
             "path: /x/y\ntrain: [train.txt, images]\nnames:\n  0: cat\n  7: {a: b}\nkpt_shape: [2, 3]\n",
             "names: &a [x, *a]\nnc: 2\ntest: |\n  images\n", "nc: 80\n"]
    labels = ["0 0.5 0.5 1 1\n", "1 0 0 0.5 0 0.5 0.5 0.1 0.2\n0 0.5 0.5 0.1 0.1 0.9 0.1 2\n", "\n"]
    lists = ["images/a.jpg\n./images/b.jpg\n", "/x/y/images/a.jpg\n../a.jpg\n"]
    seeds = ["\0".join([a, b, c]).encode() for a in yamls for b in labels for c in lists]
    words = {"names:", "nc:", "train:", "val:", "path:", "kpt_shape:", "images", "train.txt", "../", "&a", "*a",
             "- ", "? ", "|", ">", "{", "[", "!!str", "---", "nan", "inf", "-1", "1e308"}
    return seeds, words


def json_list_corpus():
    entries = [{"image": "a.jpg", "label": "cat", "split": "val"},
               {"imagefilename": "train/b.jpg", "width": 64, "height": 48, "annotations": [
                   {"label": "cat", "coordinates": {"x": 16, "y": 12.5, "width": 32, "height": 24}}, {"label": ["x", 1]}, "y"]},
               {"file_name": "../a.jpg", "annotation": []}]
    files = [entries, {"a.jpg": "cat", "b": ["dog", 1], "c.png": entries[1], "x": None},
             {"classes": ["cat", "dog"], "labels": {"a": 0, "b": "1", "c": None}}, entries[1:2] * 3]
    words = {f'"{name}"' for file in files for name in members(file)}
    words |= {'"a.jpg"', '"c.png"', "NaN", "1e999", "null", "true", "\\u0000", "{", "}", "[", "]"}
    return [json.dumps(file).encode() for file in files], words


def labelme_corpus():
    def shape(kind, points):
        return {"label": "cat", "points": points, "shape_type": kind, "group_id": None, "flags": {"a": True}}

    shapes = [shape("polygon", [[0, 0], [50.5, 0], [50, 10]]), shape("rectangle", [[1, 1], [9, 9]]),
              shape("circle", [[5, 5], [6, 6]]), shape("point", [[1, 1]]), {"label": 7, "points": [[1], [], None]}]
    whole = {"version": "5.0", "flags": {"cat": True, "dog": False}, "shapes": shapes, "imagePath": "..\\x\\a.jpg",
             "imageData": "aGk=", "imageWidth": 100, "imageHeight": 50}
    files = [whole, {**whole, "shapes": []}, {"imagePath": "a.jpg", "shapes": shapes}]
    words = {f'"{name}"' for file in files for name in members(file)}
    words |= {'"polygon"', '"mask"', '"linestrip"', "NaN", "1e999", "-1", "null", "true", "false"}
    return [json.dumps(file).encode() for file in files], words


def via_corpus():
    regions = [{"shape_attributes": {"name": "rect", "x": 1}, "region_attributes": {"class": "cat", "n": {"a": True, "b": False}}},
               {"region_attributes": {"class": ""}}]
    entry = {"filename": "a.jpg", "size": 12, "regions": regions, "file_attributes": {"label": "x", "caption": ""}}
    files = [{"a.jpg12": entry}, {"_via_settings": {}, "_via_img_metadata": {"a": entry, "b": {**entry, "filename": "c.png"}}},
             {"a": {**entry, "regions": {"0": regions[0]}}}]
    table = ("#filename,file_size,file_attributes,region_count,region_id,region_shape_attributes,region_attributes\n"
             "a.jpg,1,\"{\"\"label\"\":\"\"x\"\"}\",1,0,{},\"{\"\"class\"\":\"\"cat\"\"}\"\nb.jpg,1,{},0,0,{},{}\n")
    seeds = [json.dumps(file).encode() + b"\0" for file in files] + [b"\0" + table.encode()]
    words = {f'"{name}"' for file in files for name in members(file)} | {"region_attributes", '"{', '}"', '""', "a.jpg", "../"}
    return seeds, words


def cub_corpus():
    parts = ["1 x/a.jpg\n2 x/b.jpg\n", "1 1\n2 2\n", "1 001.Cat\n2 Big dog\n", "1 1\n2 0\n"]
    seeds = ["\0".join(parts), "\0".join([*parts[:2], "", ""]), "\0".join([parts[0], "1 7\n9 1\n\n", *parts[2:]])]
    return [seed.encode() for seed in seeds], {"x/a.jpg", "../a.jpg", "1 1\n", " ", "\t", "\r\n"}
