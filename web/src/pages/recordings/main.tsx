import { mount } from "../../ui/mount";
import { entered } from "../talk/begin";
import "../../recordings/recordings.css";
import "./archive.css";
import { RecordingsPage } from "./RecordingsPage";

if (await entered()) mount(RecordingsPage);
